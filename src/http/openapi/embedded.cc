#include "http/openapi/embedded.h"

#define PARLEY_EMBEDDED(name)                                                   \
  extern "C" const char name##_begin[], name##_end[];                           \
  namespace parley::http::openapi {                                             \
  std::string_view name() {                                                     \
    return {name##_begin, static_cast<std::size_t>(name##_end - name##_begin)}; \
  }                                                                             \
  }

PARLEY_EMBEDDED(gateway_yaml)
PARLEY_EMBEDDED(messaging_yaml)
PARLEY_EMBEDDED(media_yaml)
PARLEY_EMBEDDED(search_yaml)
