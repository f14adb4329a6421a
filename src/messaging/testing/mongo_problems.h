// For tests: whatever in the MongoDB store's documents does not agree with the rest of them, by reading all of them.
#pragma once
#include <string>
#include <vector>

#include "drivers/mongo/database.h"

namespace parley::messaging::testing {

std::vector<std::string> find_mongo_problems(mongo::Database& database);

}  // namespace parley::messaging::testing
