// The two sides of `parley migrate`, the data folder and MongoDB, for any pair of stores that have a transfer each.
// Called on the thread of the command.
#pragma once
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "drivers/mongo/client_pool.h"
#include "drivers/sqlite/moved_database.h"

namespace parley::app {

struct MoveSides {
  bool to_engines = true;      // else from them
  bool alone = false;          // the source is to be served by nobody, which only a folder can tell
  bool compared_only = false;  // nothing is written; both are opened as sources are, beside servers
  bool accept_lost = false;    // files of which neither side has the bytes do not make the two unequal
};

// Where the sides are. What it refers to must outlive the transfers.
struct MovePlaces {
  std::filesystem::path folder;
  mongo::ConnectionOptions connection;
  const Clock& clock;
  Random& random;
};

template <class Store, class Port>
Result<> take_side(Result<std::unique_ptr<Store>> opened, std::unique_ptr<Port>& into) {
  if (!opened) return fail(std::move(opened.error()));
  into = std::move(*opened);
  return {};
}

// As a source is: only to be read. `lock` is for the folder.
template <class InFolder, class InEngines, class Port>
Result<> open_to_read(bool engines, const MovePlaces& at, sqlite::MoveLock lock, std::unique_ptr<Port>& into) {
  return engines ? take_side(InEngines::open_source(at.connection, at.clock), into)
                 : take_side(InFolder::open_source(at.folder, lock), into);
}

// As a target is: it is made where there is none.
template <class InFolder, class InEngines, class Port>
Result<> open_to_write(bool engines, const MovePlaces& at, std::unique_ptr<Port>& into) {
  return engines ? take_side(InEngines::open_target(at.connection, at.clock, at.random), into)
                 : take_side(InFolder::open_target(at.folder), into);
}

// As the target of these sides.
template <class InFolder, class InEngines, class Port>
Result<> open_move_target(MoveSides sides, const MovePlaces& at, std::unique_ptr<Port>& into) {
  return sides.compared_only
             ? open_to_read<InFolder, InEngines>(sides.to_engines, at, sqlite::MoveLock::kBesideServers, into)
             : open_to_write<InFolder, InEngines>(sides.to_engines, at, into);
}

// As their source.
template <class InFolder, class InEngines, class Port>
Result<> open_move_source(MoveSides sides, const MovePlaces& at, std::unique_ptr<Port>& into) {
  const auto lock = sides.alone ? sqlite::MoveLock::kAlone : sqlite::MoveLock::kBesideServers;
  return open_to_read<InFolder, InEngines>(!sides.to_engines, at, lock, into);
}

}  // namespace parley::app
