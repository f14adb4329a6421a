// JsonFields: reads the named fields of a JSON object that another role made. The first one that is missing or of
// another kind is remembered, so that a reader reads all it wants and asks once whether that was there. Refers to the
// object. Any thread.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace parley::search {

class JsonFields {
 public:
  explicit JsonFields(const boost::json::object& object) : object_(object) {}

  std::string text(std::string_view name);
  std::optional<std::string> optional_text(std::string_view name);  // null, or not there: none
  std::int64_t integer(std::string_view name);
  bool boolean(std::string_view name);
  WallTime time(std::string_view name);
  std::size_t size_of_array(std::string_view name);
  template <class Tag>
  void read_id(std::string_view name, Id<Tag>& id) {
    id = Id<Tag>(text(name));
    if (!is_valid_id(id.value)) fault(name, "is no id");
  }
  template <class Tag>
  void read_ids(std::string_view name, std::vector<Id<Tag>>& ids) {
    for (std::string& each : texts(name)) ids.emplace_back(std::move(each));
  }

  // The text `member` of each object in the list `name`.
  std::vector<std::string> texts_within(std::string_view name, std::string_view member);

  // "seq is no integer"; none when all that was read was there. Never a value.
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  std::vector<std::string> texts(std::string_view name);
  const boost::json::value* find(std::string_view name);
  void fault(std::string_view name, std::string_view what);

  const boost::json::object& object_;
  std::optional<std::string> fault_;
};

}  // namespace parley::search
