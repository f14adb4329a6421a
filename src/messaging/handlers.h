// The handlers of messaging, one for each operation of api/messaging.yaml, and what they share. Each is
// parse → call → encode; rights are the store's to check, inside the transaction that acts. They run on the loop that
// serves the request; a failure is an Error that messaging_routes.cc turns into a problem.
#pragma once
#include <memory>

#include "events/event_log.h"
#include "http/openapi/validated_request.h"
#include "messaging/limited_sender.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"
#include "messaging/seen_users.h"

namespace parley::messaging {

// The parts of the role, made once.
struct Messaging {
  MessagingStore& store;
  MessagingScan& scan;
  events::EventLog& log;
  const Clock& clock;
  LimitedSender sender;
  SeenUsers seen;
};

// One request on its way; lives in the frame of the coroutine that serves it.
struct Call {
  Messaging& messaging;
  http::Exchange& exchange;
  const http::openapi::ValidatedRequest& request;
  std::shared_ptr<const Caller> caller;  // null where a role asks for itself
  SteadyTime deadline;

  MessagingStore& store() const { return messaging.store; }
};

using Answer = Task<Result<http::Response>>;

Answer send_message(Call& call);
Answer list_messages(Call& call);
Answer get_message(Call& call);
Answer edit_message(Call& call);
Answer delete_message(Call& call);
Answer get_message_history(Call& call);
Answer list_replies(Call& call);
Answer add_reaction(Call& call);
Answer remove_reaction(Call& call);

Answer create_conversation(Call& call);
Answer list_conversations(Call& call);
Answer get_conversation(Call& call);
Answer update_conversation(Call& call);
Answer delete_conversation(Call& call);
Answer set_read_mark(Call& call);
Answer import_messages(Call& call);

Answer add_member(Call& call);
Answer list_members(Call& call);
Answer remove_member(Call& call);
Answer set_member_role(Call& call);

Answer get_own_profile(Call& call);
Answer update_own_profile(Call& call);
Answer get_user(Call& call);

Answer get_scope(Call& call);
Answer look_up(Call& call);
Answer check_attachment(Call& call);
Answer forget_files(Call& call);
Answer read_log(Call& call);
Answer scan_tenants(Call& call);
Answer scan_conversations(Call& call);
Answer scan_messages(Call& call);
Answer scan_users(Call& call);

}  // namespace parley::messaging
