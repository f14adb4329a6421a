#include "http/client_address.h"

#include <iterator>

#include "base/text.h"

namespace parley::http {

namespace {

bool is_forwarded_for(const Field& field) {
  return field.id == FieldId::unknown && equals_ignoring_ascii_case(field.name, "X-Forwarded-For");
}

// Takes the last element off a comma-separated list.
std::string_view take_last(std::string_view& list) {
  const std::size_t comma = list.rfind(',');
  std::string_view element = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
  while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
  return element;
}

}  // namespace

std::string_view client_address(const Request& request, const IpNetworks& trusted) {
  std::string_view client = request.peer;
  if (!trusted.contains(client)) return client;
  // Some proxies append to the field, some add one of their own: together they are one list.
  for (auto field = std::make_reverse_iterator(request.fields.end());
       field != std::make_reverse_iterator(request.fields.begin()); ++field) {
    if (!is_forwarded_for(*field)) continue;
    for (std::string_view list = field->value; !list.empty();) {
      const std::string_view before = take_last(list);
      if (!is_ip_address(before)) return client;
      client = before;
      if (!trusted.contains(client)) return client;
    }
  }
  return client;
}

std::string forwarded_chain(const Request& request) {
  std::string chain;
  for (const Field& field : request.fields) {
    if (is_forwarded_for(field) && !field.value.empty()) chain.append(field.value).append(", ");
  }
  return chain.append(request.peer);
}

}  // namespace parley::http
