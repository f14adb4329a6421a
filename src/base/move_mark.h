// MoveMark: what a store says of the move that fills it (`parley migrate`). Until it is kDone no server opens the
// store.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/canonical_text.h"
#include "base/result.h"

namespace parley {

struct MoveMark {
  enum class State { kCopying, kDone };
  std::string source;  // source_name() of the store that it is filled from
  State state = State::kCopying;

  bool is_done() const { return state == State::kDone; }
};

// What positions of a store's log are made with: drawn once in the life of what is stored, so it tells stores apart,
// and goes along with a move.
using PositionSecret = std::array<std::uint8_t, 32>;

// A short name of the store that has this secret, which gives the secret away to nobody.
inline std::string source_name(const PositionSecret& secret) {
  Checksum digest;
  digest.add(CanonicalText("parley store").add(secret).take());
  return digest.hex().substr(0, 16);
}

inline std::unexpected<Error> move_is_unfinished() {
  return fail(ErrorKind::kConflict, "move_unfinished",
              "This store is being filled by parley migrate, which has not come to its end. Run it again, with "
              "--cut-over once the old servers are stopped.");
}

// Claims `target` for a move from `source`, or finds that it is this source's own already. fail: target_in_use when it
// holds anything else; already_moved when the move is done.
template <class Source, class Target>
Result<> claim_target(Source& source, Target& target) {
  const auto secret = source.position_secret();
  if (!secret) return fail(secret.error());
  const auto mark = target.mark();
  if (!mark) return fail(mark.error());
  const std::string name = source_name(*secret);
  if (*mark && (*mark)->source == name) {
    if (!(*mark)->is_done()) return {};
    return fail(ErrorKind::kConflict, "already_moved", "This store was moved there already, and the move is finished.");
  }
  if (*mark) {
    return fail(ErrorKind::kConflict, "target_in_use", "The target was filled from another store. Take an empty one.");
  }
  const auto empty = target.is_empty();
  if (!empty) return fail(empty.error());
  if (!*empty) {
    return fail(ErrorKind::kConflict, "target_in_use",
                "The target holds something already, and not by a move from this source. Take an empty one.");
  }
  return target.begin({name, MoveMark::State::kCopying}, *secret);
}

}  // namespace parley
