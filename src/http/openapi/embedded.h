// The contract files of the repository (api/*.yaml) as the build embedded them.
#pragma once
#include <string_view>

namespace parley::http::openapi {

std::string_view gateway_yaml();
std::string_view messaging_yaml();
std::string_view media_yaml();
std::string_view search_yaml();

}  // namespace parley::http::openapi
