// Caller: on whose behalf a request runs. Made from a verified token by auth/, passed explicitly to every service and
// store operation; there is no ambient tenant anywhere.
#pragma once
#include <string>

#include "base/ids.h"

namespace parley {

// Roles within a tenant. No role crosses tenants.
struct TenantRoles {
  bool admin = false;    // manages and deletes within the tenant; reads no conversation it is not in
  bool service = false;  // acts for any user of its tenant, named in X-Parley-User
};

struct Caller {
  TenantId tenant;
  UserId user;  // for a service token: the user it acts for, else its own `sub`
  TenantRoles roles;
  std::string name;  // display name claimed by the token, may be empty
  UserId bearer{};   // the token's own `sub`, where it acts for another; else empty
};

}  // namespace parley
