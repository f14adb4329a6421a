// The rights table of docs/api.md, walked whole: every act by everyone who may try it.
#include "messaging/rights.h"

#include <gtest/gtest.h>

#include <map>

namespace parley::messaging {
namespace {

// In the order of the table's columns; then the same for a direct conversation.
enum Who {
  kTheOwner,
  kTheAdmin,
  kTheModerator,
  kTheMember,
  kTenantAdmin,
  kStranger,
  kDirectMember,
  kDirectTenantAdmin,
  kDirectStranger
};
constexpr int kEveryone = 9;

Standing standing(int who, bool archived = false) {
  Standing out;
  out.archived = archived;
  if (who >= kDirectMember) out.kind = ConversationKind::kDirect;
  static const std::map<int, MemberRole> roles = {{kTheOwner, MemberRole::kOwner},
                                                  {kTheAdmin, MemberRole::kAdmin},
                                                  {kTheModerator, MemberRole::kModerator},
                                                  {kTheMember, MemberRole::kMember},
                                                  {kDirectMember, MemberRole::kMember}};
  if (const auto role = roles.find(who); role != roles.end()) out.role = role->second;
  out.tenant.admin = who == kTenantAdmin || who == kDirectTenantAdmin;
  return out;
}

// One letter each: y yes, f forbidden, n not_found, d direct_conversation, a archived, o last_owner, i not imported.
char letter(const Result<>& answer) {
  if (answer) return 'y';
  static const std::map<std::string, char> letters = {{"forbidden", 'f'},           {"not_found", 'n'},
                                                      {"direct_conversation", 'd'}, {"conversation_archived", 'a'},
                                                      {"last_owner", 'o'},          {"conversation_not_imported", 'i'}};
  return letters.at(answer.error().code);
}
template <class May>
std::string row(May may, bool archived = false) {
  std::string out;
  for (int who = 0; who < kEveryone; ++who) {
    if (who == kDirectMember) out += ' ';
    out += letter(may(standing(who, archived)));
  }
  return out;
}

//                          owner admin moderator member | tenant admin | stranger, then direct: member, admin, stranger
TEST(Rights, ReadingIsForMembers) {
  EXPECT_EQ(row(may_read_messages), "yyyynn ynn");
  EXPECT_EQ(row(may_read_message), "yyyynn ynn");
  EXPECT_EQ(row(may_set_read_mark), "yyyynn ynn");
  EXPECT_EQ(row(may_see_conversation), "yyyyyn ynn");
  EXPECT_EQ(row(may_list_members), "yyyyyn ynn");
}

TEST(Rights, SendingIsForMembersUnlessArchived) {
  EXPECT_EQ(row(may_send), "yyyynn ynn");
  EXPECT_EQ(row(may_send, true), "aaaann ann");
  EXPECT_EQ(row(may_add_reaction), "yyyynn ynn");
  EXPECT_EQ(row(may_add_reaction, true), "aaaann ann");
  EXPECT_EQ(row(may_remove_reaction), "yyyynn ynn");
  EXPECT_EQ(row(may_remove_reaction, true), "aaaann ann");
  EXPECT_EQ(row(may_read_messages, true), "yyyynn ynn");
  EXPECT_EQ(row(may_set_read_mark, true), "yyyynn ynn");
}

TEST(Rights, EditingIsForTheSender) {
  EXPECT_EQ(row([](const Standing& s) { return may_edit_message(s, true); }), "yyyynn ynn");
  EXPECT_EQ(row([](const Standing& s) { return may_edit_message(s, false); }), "ffffnn fnn");
  EXPECT_EQ(row([](const Standing& s) { return may_edit_message(s, true); }, true), "aaaann ann");
}

TEST(Rights, DeletingAMessageIsForTheSenderTheRanksAndTenantAdmins) {
  EXPECT_EQ(row([](const Standing& s) { return may_delete_message(s, true); }), "yyyyyn yyn");
  EXPECT_EQ(row([](const Standing& s) { return may_delete_message(s, false); }), "yyyfyn fyn");
  EXPECT_EQ(row([](const Standing& s) { return may_delete_message(s, false); }, true), "yyyfyn fyn");
}

TEST(Rights, ChangingAConversation) {
  EXPECT_EQ(row([](const Standing& s) { return may_update_conversation(s, false); }), "yyffyn dnn");
  EXPECT_EQ(row([](const Standing& s) { return may_update_conversation(s, true); }), "yyffyn ynn");
  EXPECT_EQ(row([](const Standing& s) { return may_update_conversation(s, false); }, true), "yyffyn dnn");
  EXPECT_EQ(row(may_delete_conversation), "yfffyn fyn");
}

TEST(Rights, AddingMembers) {
  const auto adding = [](MemberRole given) {
    return row([given](const Standing& s) { return may_add_member(s, given); });
  };
  EXPECT_EQ(adding(MemberRole::kMember), "yyyfyn dnn");
  EXPECT_EQ(adding(MemberRole::kModerator), "yyffyn dnn");
  EXPECT_EQ(adding(MemberRole::kAdmin), "yfffyn dnn");
  EXPECT_EQ(adding(MemberRole::kOwner), "yfffyn dnn");
}

TEST(Rights, RemovingOthers) {
  const auto removing = [](MemberRole theirs, bool only_owner) {
    return row([=](const Standing& s) { return may_remove_member(s, theirs, false, only_owner); });
  };
  EXPECT_EQ(removing(MemberRole::kMember, false), "yyyfyn dnn");
  EXPECT_EQ(removing(MemberRole::kModerator, false), "yyffyn dnn");
  EXPECT_EQ(removing(MemberRole::kAdmin, false), "yfffyn dnn");
  EXPECT_EQ(removing(MemberRole::kOwner, false), "yfffyn dnn");
  EXPECT_EQ(removing(MemberRole::kOwner, true), "offfon dnn");
}

TEST(Rights, Leaving) {
  for (const auto& [who, role] : {std::pair{kTheOwner, MemberRole::kOwner},
                                  {kTheAdmin, MemberRole::kAdmin},
                                  {kTheModerator, MemberRole::kModerator},
                                  {kTheMember, MemberRole::kMember}}) {
    EXPECT_EQ(letter(may_remove_member(standing(who), role, true, false)), 'y');
  }
  EXPECT_EQ(letter(may_remove_member(standing(kTheOwner), MemberRole::kOwner, true, true)), 'o');
  EXPECT_EQ(letter(may_remove_member(standing(kDirectMember), MemberRole::kMember, true, false)), 'd');
}

TEST(Rights, ChangingARole) {
  using enum MemberRole;
  const auto changing = [](MemberRole from, MemberRole to, bool only_owner = false) {
    return row([=](const Standing& s) { return may_set_role(s, from, to, only_owner); });
  };
  for (const MemberRole from : {kMember, kModerator, kAdmin, kOwner}) {
    for (const MemberRole to : {kMember, kModerator, kAdmin, kOwner}) {
      const bool low = from <= kModerator && to <= kModerator;
      EXPECT_EQ(changing(from, to), low ? "yyffyn dnn" : "yfffyn dnn");
    }
  }
  EXPECT_EQ(changing(kOwner, kAdmin, true), "offfon dnn");
  EXPECT_EQ(changing(kOwner, kOwner, true), "yfffyn dnn");
}

TEST(Rights, Importing) {
  for (const bool as_service : {false, true}) {
    const auto importing = [as_service](bool imported) {
      return row([=](Standing s) {
        s.tenant.admin = !as_service;
        s.tenant.service = as_service;
        return may_import(s, imported);
      });
    };
    EXPECT_EQ(importing(true), "yyffnn fnn");
    EXPECT_EQ(importing(false), "iiffnn fnn");
  }
  EXPECT_EQ(letter(may_import(standing(kTheOwner), true)), 'f');
  EXPECT_EQ(letter(may_create_conversation({}, true)), 'f');
  EXPECT_EQ(letter(may_create_conversation({}, false)), 'y');
  EXPECT_EQ(letter(may_create_conversation({.admin = true}, true)), 'y');
  EXPECT_EQ(letter(may_create_conversation({.admin = false, .service = true}, true)), 'y');
}

TEST(Rights, ATenantAdminWhoIsAMemberKeepsWhatAMemberMay) {
  Standing admin = standing(kTheMember);
  admin.tenant.admin = true;
  EXPECT_TRUE(may_read_messages(admin));
  EXPECT_TRUE(may_send(admin));
  EXPECT_TRUE(may_delete_message(admin, false));
  EXPECT_TRUE(may_update_conversation(admin, false));
  EXPECT_TRUE(may_add_member(admin, MemberRole::kOwner));
  EXPECT_TRUE(may_delete_conversation(admin));
  EXPECT_EQ(letter(may_edit_message(admin, false)), 'f');
}

TEST(Rights, AServiceHasNoMoreThanTheUserItActsFor) {
  for (int who = 0; who < kEveryone; ++who) {
    Standing service = standing(who);
    service.tenant.service = true;
    EXPECT_EQ(letter(may_read_messages(service)), letter(may_read_messages(standing(who))));
    EXPECT_EQ(letter(may_update_conversation(service, false)), letter(may_update_conversation(standing(who), false)));
    EXPECT_EQ(letter(may_delete_message(service, false)), letter(may_delete_message(standing(who), false)));
  }
}

TEST(MemberLimit, HoldsWhenThereIsOne) {
  EXPECT_TRUE(may_have_members(5, 5));
  EXPECT_EQ(may_have_members(6, 5).error().code, "too_many_members");
  EXPECT_TRUE(may_have_members(1'000'000, 0));
}

}  // namespace
}  // namespace parley::messaging
