#include "gateway/gateway_routes.h"

namespace parley::gateway {

namespace {

using enum http::Method;

constexpr bool kHonoursKey = true;
constexpr Role kM = Role::kMessaging;
constexpr Role kS = Role::kSearch;
constexpr auto kStrip = PathMapping::kStripVersion;
constexpr bool kCached = true;
constexpr auto kOpen = http::Access::kOpen;
constexpr auto kSigned = http::Access::kTokenOrSigned;
// What has come must be on disk before it is answered, gigabytes of it perhaps.
constexpr std::chrono::seconds kUntilOnDisk{20};

constexpr ProxiedRoute media(http::Method method, std::string_view pattern, std::string_view operation_id,
                             std::chrono::seconds more_time = {}, http::Access access = http::Access::kToken) {
  return {method, pattern, operation_id, Role::kMedia, false, PathMapping::kStripMedia, false, access, more_time};
}

// clang-format off
constexpr ProxiedRoute kRoutes[] = {
    {kPost,   "/v1/messages",                                          "send_message",        kM, kHonoursKey},
    {kGet,    "/v1/messages/conversations/{conversation_id}",          "list_messages_alias", kM, false, PathMapping::kConversationMessages},
    {kGet,    "/v1/messages/{message_id}",                             "get_message",         kM},
    {kPut,    "/v1/messages/{message_id}",                             "edit_message",        kM},
    {kDelete, "/v1/messages/{message_id}",                             "delete_message",      kM},
    {kGet,    "/v1/messages/{message_id}/history",                     "get_message_history", kM},
    {kGet,    "/v1/messages/{message_id}/replies",                     "list_replies",        kM},
    {kPost,   "/v1/messages/{message_id}/reactions",                   "add_reaction",        kM},
    {kDelete, "/v1/messages/{message_id}/reactions/{reaction}",        "remove_reaction",     kM},
    {kPost,   "/v1/conversations",                                     "create_conversation", kM, kHonoursKey},
    {kGet,    "/v1/conversations",                                     "list_conversations",  kM},
    {kGet,    "/v1/conversations/{conversation_id}",                   "get_conversation",    kM},
    {kPut,    "/v1/conversations/{conversation_id}",                   "update_conversation", kM},
    {kDelete, "/v1/conversations/{conversation_id}",                   "delete_conversation", kM},
    {kGet,    "/v1/conversations/{conversation_id}/messages",          "list_messages",       kM},
    {kPost,   "/v1/conversations/{conversation_id}/members",           "add_member",          kM},
    {kGet,    "/v1/conversations/{conversation_id}/members",           "list_members",        kM},
    {kDelete, "/v1/conversations/{conversation_id}/members/{user_id}", "remove_member",       kM},
    {kPut,    "/v1/conversations/{conversation_id}/members/{user_id}/role", "set_member_role", kM},
    {kPut,    "/v1/conversations/{conversation_id}/read",              "set_read_mark",       kM},
    {kPost,   "/v1/conversations/{conversation_id}/import",            "import_messages",     kM},
    {kGet,    "/v1/users/me",                                          "get_own_profile",     kM},
    {kPut,    "/v1/users/me",                                          "update_own_profile",  kM},
    {kGet,    "/v1/users/{user_id}",                                   "get_user",            kM},
    {kGet,    "/v1/search/messages",                                   "search_messages",      kS, false, kStrip, kCached},
    {kGet,    "/v1/search/conversations",                              "search_conversations", kS, false, kStrip, kCached},
    {kGet,    "/v1/search/users",                                      "search_users",         kS, false, kStrip, kCached},
    {kGet,    "/v1/search",                                            "search_all",           kS, false, kStrip, kCached},
    {kGet,    "/v1/search/suggestions",                                "list_suggestions",     kS},
    {kGet,    "/v1/search/recent",                                     "list_recent_searches", kS},
    {kDelete, "/v1/search/recent",                                     "clear_recent_searches", kS},
    media(kPost,    "/v1/media/upload",                                "upload_files",        kUntilOnDisk),
    media(kPost,    "/v1/media/upload/chunk",                          "begin_upload"),
    media(kPost,    "/v1/media/upload/chunk/{upload_id}",              "put_chunk",           kUntilOnDisk),
    media(kPost,    "/v1/media/upload/complete/{upload_id}",           "complete_upload",     kUntilOnDisk),
    media(kDelete,  "/v1/media/upload/{upload_id}",                    "abort_upload"),
    media(kGet,     "/v1/media/upload/{upload_id}/progress",           "get_upload_progress"),
    media(kOptions, "/v1/media/tus",                                   "get_tus_options",     {}, kOpen),
    media(kPost,    "/v1/media/tus",                                   "create_tus_upload",   kUntilOnDisk),
    media(kHead,    "/v1/media/tus/{upload_id}",                       "get_tus_upload"),
    media(kPatch,   "/v1/media/tus/{upload_id}",                       "continue_tus_upload", kUntilOnDisk),
    media(kPost,    "/v1/media/tus/{upload_id}",                       "override_tus_method", kUntilOnDisk),
    media(kDelete,  "/v1/media/tus/{upload_id}",                       "end_tus_upload"),
    media(kGet,     "/v1/media/download/{file_id}",                    "download_file",       {}, kSigned),
    media(kGet,     "/v1/media/download/{file_id}/signed",             "sign_download"),
    media(kGet,     "/v1/media/stream/{file_id}",                      "stream_file"),
    media(kGet,     "/v1/media/files",                                 "list_files"),
    media(kGet,     "/v1/media/files/{file_id}",                       "get_file"),
    media(kDelete,  "/v1/media/files/{file_id}",                       "delete_file"),
    media(kGet,     "/v1/media/files/{file_id}/thumbnails/{size}",     "get_thumbnail"),
    media(kGet,     "/v1/media/usage",                                 "get_usage"),
};
// clang-format on

}  // namespace

std::span<const ProxiedRoute> proxied_routes() {
  return kRoutes;
}

bool may_spoil_searches(const ProxiedRoute& route) {
  // Uploads become findable with the message that attaches them, and no search shows who has read what.
  if (route.role == Role::kMedia) return route.operation_id == "delete_file";
  return route.role == Role::kMessaging && !http::is_safe(route.method) && route.operation_id != "set_read_mark";
}

}  // namespace parley::gateway
