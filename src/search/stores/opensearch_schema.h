// Names, mappings and settings of the indexes that search keeps in OpenSearch or Elasticsearch. Pure; any thread.
//
// PREFIX-messages has messages and the tombstones of removed ones, PREFIX-directory what conversations and people are
// called and which conversations were erased, PREFIX-state how far the index is, the tenants and the dead letters. Each
// name is an alias of an index with a number behind it, so that an operator can copy one into another with other
// settings and swap. All documents of a tenant share a route.
//
// `terms` holds our own terms: a place each between blanks, and terms of one place with | between them. The engine
// analyses nothing.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::search {

struct OpenSearchNames {
  explicit OpenSearchNames(const std::string& prefix)
      : messages(prefix + "-messages"), directory(prefix + "-directory"), state(prefix + "-state") {}
  std::string messages;
  std::string directory;
  std::string state;
};

struct OpenSearchShards {
  int shards = 3;                // of messages; directory and state have one
  std::string replicas = "0-1";  // as index.auto_expand_replicas takes it
  std::string refresh_interval = "1s";
};

struct IndexTemplate {
  std::string alias;
  boost::json::object settings;
  boost::json::object mappings;

  std::string first_index() const { return alias + "-1"; }
  // The bodies that make the template, and an index behind its alias.
  std::string template_body() const;
  std::string index_body() const;
};
std::vector<IndexTemplate> index_templates(const OpenSearchNames& names, const OpenSearchShards& shards);

// The text as `terms` takes it.
std::string as_terms(std::string_view text);
// One term as it stands there: without what separates terms and places.
std::string as_term(std::string_view term);

}  // namespace parley::search
