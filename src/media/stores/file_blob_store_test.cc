#include "media/stores/file_blob_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "base/check.h"
#include "base/unique_fd.h"
#include "drivers/sqlite/temp_folder.h"
#include "media/stores/file_blob_store_folder.h"
#include "media/testing/blob_store_contract.h"

namespace parley::media {
namespace {

namespace fs = std::filesystem;
using sqlite::TempFolder;
using testing::FailsWith;

class FilesUnderTest final : public testing::BlobStoreUnderTest {
 public:
  FilesUnderTest() { open(); }
  BlobStore& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    auto opened = FileBlobStore::open({.folder = folder_.path() / "objects", .writer_threads = 3, .reader_threads = 2});
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  TempFolder folder_;
  std::unique_ptr<FileBlobStore> store_;
};

std::unique_ptr<testing::BlobStoreUnderTest> make_file_store() {
  return std::make_unique<FilesUnderTest>();
}

constexpr SteadyTime kNoHurry = SteadyTime::max();

Task<Result<>> store_bytes(BlobStore& store, FileId id, std::string bytes) {
  if (auto begun = co_await store.create(id, {}, kNoHurry); !begun) co_return begun;
  auto writer = co_await store.write(id, 0, nullptr, kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  if (auto taken = co_await (*writer)->write(bytes, kNoHurry); !taken) co_return taken;
  co_return co_await (*writer)->sync(kNoHurry);
}

class FileBlobStoreTest : public ::testing::Test {
 protected:
  FileBlobStoreTest() {
    loops_.start();
    store_ = std::move(*FileBlobStore::open({.folder = folder()}));
  }
  ~FileBlobStoreTest() override { loops_.stop(); }
  fs::path folder() const { return temp_.path() / "objects"; }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  // The only thread that writes hangs in opening a pipe, until somebody reads that.
  fs::path hang() {
    const FileId stuck("0192f3a1-7c00-7a3e-8f00-0000000000c2");
    const fs::path pipe = folder() / "c2" / (stuck.value + ".part");
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_THAT(wait(store_->write(stuck, 0, nullptr, SteadyTime::min())), FailsWith("deadline_exceeded"));
    return pipe;
  }
  std::vector<StoredBlob> list() { return wait(store_->list({}, 100, kNoHurry))->items; }

  const FileId id_{"0192f3a1-7c00-7a3e-8f00-0000000000c1"};
  TempFolder temp_;
  EventLoops loops_{1};
  std::unique_ptr<FileBlobStore> store_;
};

TEST_F(FileBlobStoreTest, ABlobLiesInTheFolderOfTheLastByteOfItsIdAndIsPrivate) {
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "bytes")));
  EXPECT_TRUE(fs::exists(folder() / "c1" / (id_.value + ".part")));
  ASSERT_TRUE(wait(store_->seal(id_, 5, kNoHurry)));
  EXPECT_FALSE(fs::exists(folder() / "c1" / (id_.value + ".part")));
  const auto mode_of = [](const fs::path& path) {
    struct stat status{};
    CHECK(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
  };
  EXPECT_EQ(mode_of(folder()), 0700u);
  EXPECT_EQ(mode_of(folder() / "c1"), 0700u);
  EXPECT_EQ(mode_of(folder() / "c1" / id_.value), 0600u);
}

TEST_F(FileBlobStoreTest, WhatADiskThatFillsUpRefusesIsStorageFull) {
  struct sigaction ignored{}, before{};
  ignored.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGXFSZ, &ignored, &before), 0);
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  rlimit small = unlimited;
  small.rlim_cur = 1'000'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = wait(store_bytes(*store_, id_, std::string(2'000'000, 'x')));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  ASSERT_EQ(::sigaction(SIGXFSZ, &before, nullptr), 0);
  EXPECT_THAT(refused, FailsWith("storage_full"));
  EXPECT_EQ(refused.error().detail.find(folder().string()), std::string::npos);
  ASSERT_TRUE(wait(store_->remove(id_, kNoHurry)));
  EXPECT_TRUE(wait(store_bytes(*store_, id_, std::string(2'000'000, 'x'))));
}

TEST_F(FileBlobStoreTest, FilesOfOthersAreNeitherListedNorRead) {
  const fs::path c1 = folder() / "c1";
  std::ofstream(c1 / "README") << "x";
  std::ofstream(c1 / "0192f3a1-7c00-7a3e-8f00-0000000000c2") << "in the wrong folder";
  std::ofstream(c1 / (id_.value + ".bak")) << "x";
  std::ofstream(folder() / "stray") << "x";
  EXPECT_TRUE(list().empty());
  std::ofstream(temp_.path() / "secret") << "x";
  fs::create_symlink(temp_.path() / "secret", c1 / id_.value);
  EXPECT_FALSE(wait(store_->open(id_, kNoHurry)));
}

// What the kernel has in memory is opened on the loop.
TEST_F(FileBlobStoreTest, ABlobIsOpenedThoughNoThreadIsFree) {
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "bytes")));
  ASSERT_TRUE(wait(store_->seal(id_, 5, kNoHurry)));
  ASSERT_TRUE(wait(store_->open(id_, kNoHurry)));
  const auto folder = BlobFolder::open(this->folder());
  ASSERT_TRUE(folder);
  EXPECT_EQ((*folder)->open_for_reading(id_)->size, 5u);
  const auto at_once = (*folder)->open_without_waiting(id_);
  if (!at_once) GTEST_SKIP() << "this kernel does not say what it has in memory";
  EXPECT_EQ(at_once->size, 5u);
  ASSERT_TRUE(wait(store_->remove(id_, kNoHurry)));
  EXPECT_FALSE((*folder)->open_without_waiting(id_));
  EXPECT_FALSE((*folder)->open_without_waiting(FileId("../secret")));
}

TEST_F(FileBlobStoreTest, WhatACrashLeavesOfThumbnailsIsListedSoThatItCanBeRemoved) {
  for (const char* ending : {".small", ".thumbnail.part"}) {
    std::ofstream(folder() / "c1" / (id_.value + ending)) << "left over";
    ASSERT_EQ(list().size(), 1u);
    EXPECT_EQ(list().front().id, id_);
    EXPECT_FALSE(list().front().sealed);
    EXPECT_EQ(list().front().size, 0u);
    ASSERT_TRUE(wait(store_->remove(id_, kNoHurry)));
    EXPECT_TRUE(list().empty());
  }
}

TEST_F(FileBlobStoreTest, ABlobThatIsThereTwiceIsSealed) {
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "bytes")));
  ASSERT_TRUE(wait(store_->seal(id_, 5, kNoHurry)));
  std::ofstream(folder() / "c1" / (id_.value + ".part")) << "older";
  ASSERT_EQ(list().size(), 1u);
  EXPECT_TRUE(list().front().sealed);
  EXPECT_EQ(wait(store_->open(id_, kNoHurry)).value()->size(), 5u);
}

TEST_F(FileBlobStoreTest, AFileThatLostItsEndFailsTheReadInsteadOfHanging) {
  ASSERT_TRUE(wait(store_bytes(*store_, id_, std::string(300'000, 'x'))));
  auto reader = wait(store_->open(id_, kNoHurry));
  ASSERT_TRUE(reader);
  const auto body = (*reader)->read({0, 300'000});
  fs::resize_file(folder() / "c1" / (id_.value + ".part"), 100'000);
  const auto text = wait(http::read_all(*body, 300'000));
  EXPECT_THAT(text, FailsWith("unavailable"));
}

Task<std::string> codes_after_a_missed_deadline(BlobWriter& writer) {
  const auto late = co_await writer.sync(SteadyTime::min());
  const auto after = co_await writer.write("y", kNoHurry);
  co_return (late ? "" : late.error().code) + ", " + (after ? "" : after.error().code);
}

TEST_F(FileBlobStoreTest, ABodyOffersWhatIsLeftOfItAsARunOfTheFile) {
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>('a' + i % 23);
  ASSERT_TRUE(wait(store_bytes(*store_, id_, bytes)));
  ASSERT_TRUE(wait(store_->seal(id_, bytes.size(), kNoHurry)));
  auto reader = wait(store_->open(id_, kNoHurry));
  ASSERT_TRUE(reader);
  auto body = (*reader)->read({1'000, 299'000});
  reader->reset();  // the file stays open for its bodies
  const auto run = body->as_file();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->offset, 1'000u);
  EXPECT_EQ(run->length, 298'000u);
  std::string read(298'000, '\0');
  ASSERT_EQ(::pread(run->fd, read.data(), read.size(), 1'000), 298'000);
  EXPECT_TRUE(read == bytes.substr(1'000, 298'000));
  EXPECT_TRUE(wait(run->fetch(1'000, 298'000)));
  EXPECT_THAT(wait(run->fetch(299'000, 1'001)), FailsWith("unavailable"));

  const auto piece = wait(body->read());
  ASSERT_TRUE(piece);
  EXPECT_EQ(body->as_file()->offset, 1'000 + piece->size());
  EXPECT_EQ(body->as_file()->length, 298'000 - piece->size());
}

TEST_F(FileBlobStoreTest, ADiskThatHangsCostsAWriterItsDeadlineAndThenTheWriter) {
  store_ = std::move(*FileBlobStore::open({.folder = folder(), .writer_threads = 1}));
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "x")));
  auto writer = wait(store_->write(id_, 1, nullptr, kNoHurry));
  ASSERT_TRUE(writer);
  const fs::path pipe = hang();
  EXPECT_EQ(wait(codes_after_a_missed_deadline(**writer)), "deadline_exceeded, deadline_exceeded");
  const UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(wait(store_->seal(id_, 1, kNoHurry)));
}

// A write that nobody waits for any more may land on what is written there later.
TEST_F(FileBlobStoreTest, ABlobIsNeitherWrittenNorSealedWhileALateWriteMayFallIntoIt) {
  store_ = std::move(*FileBlobStore::open({.folder = folder(), .writer_threads = 1}));
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "x")));
  auto writer = wait(store_->write(id_, 0, nullptr, kNoHurry));
  ASSERT_TRUE(writer);
  const fs::path pipe = hang();
  EXPECT_EQ(wait(codes_after_a_missed_deadline(**writer)), "deadline_exceeded, deadline_exceeded");
  writer->reset();

  EXPECT_THAT(wait(store_->write(id_, 0, nullptr, SteadyTime::min())), FailsWith("unavailable"));
  EXPECT_THAT(wait(store_->seal(id_, 1, SteadyTime::min())), FailsWith("unavailable"));
  auto sealed = std::async(std::launch::async, [&] { return wait(store_->seal(id_, 1, kNoHurry)); });
  const UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(sealed.get());
  const FileId other("0192f3a1-7c00-7a3e-8f00-0000000000c3");
  EXPECT_TRUE(wait(store_->create(other, {}, kNoHurry)));
  EXPECT_TRUE(wait(store_->copy(id_, {0, 1}, other, 0, kNoHurry)));
}

// Patterns that tell where they belong.
std::string much(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 4) {
    const std::uint32_t number = static_cast<std::uint32_t>(i) * 2'654'435'761u;
    std::memcpy(bytes.data() + i, &number, std::min<std::size_t>(4, size - i));
  }
  return bytes;
}

Task<Result<>> write_in_pieces(BlobStore& store, FileId id, std::uint64_t offset, std::string_view bytes,
                               std::shared_ptr<Digests> digests) {
  auto writer = co_await store.write(std::move(id), offset, std::move(digests), kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 65'521))) {
    if (auto taken = co_await (*writer)->write(bytes.substr(0, 65'521), kNoHurry); !taken) co_return taken;
  }
  co_return co_await (*writer)->sync(kNoHurry);
}

Task<Result<std::string>> read_all(BlobStore& store, FileId id) {
  auto reader = co_await store.open(std::move(id), kNoHurry);
  if (!reader) co_return std::unexpected(reader.error());
  const std::unique_ptr<http::Body> body = (*reader)->read({0, (*reader)->size()});
  co_return co_await http::read_all(*body, (*reader)->size());
}

// Past 8 MiB writers take other buffers and another way to the disk.
TEST_F(FileBlobStoreTest, MuchThatBeginsAndEndsBetweenPagesIsStoredAndSummedAsItCame) {
  const std::string bytes = much((20 << 20) + 777);
  ASSERT_TRUE(wait(store_bytes(*store_, id_, bytes.substr(0, 1'001))));
  auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  ASSERT_TRUE(wait(write_in_pieces(*store_, id_, 1'001, std::string_view(bytes).substr(1'001), digests)));
  EXPECT_EQ(digests->length(), bytes.size() - 1'001);
  EXPECT_EQ(digests->sha256(), sha256(std::string_view(bytes).substr(1'001)));
  ASSERT_TRUE(wait(store_->seal(id_, bytes.size(), kNoHurry)));
  EXPECT_TRUE(wait(read_all(*store_, id_)) == bytes);
}

TEST_F(FileBlobStoreTest, MoreThatWriteMuchThanMayHaveLargeBuffersAreAllStored) {
  const std::string bytes = much((9 << 20) + 1);
  std::vector<std::future<Result<>>> written;
  for (int n = 0; n < LargeWriters::kMost + 2; ++n) {
    const FileId id("0192f3a1-7c00-7a3e-8f00-00000000000" + std::to_string(n));
    ASSERT_TRUE(wait(store_bytes(*store_, id, "")));
    written.push_back(std::async(std::launch::async, [this, id, &bytes] {
      return wait(write_in_pieces(*store_, id, 0, bytes, std::make_shared<Digests>(std::vector<ExpectedDigest>())));
    }));
  }
  for (auto& one : written) EXPECT_TRUE(one.get());
  for (int n = 0; n < LargeWriters::kMost + 2; ++n) {
    const FileId id("0192f3a1-7c00-7a3e-8f00-00000000000" + std::to_string(n));
    ASSERT_TRUE(wait(store_->seal(id, bytes.size(), kNoHurry)));
    EXPECT_TRUE(wait(read_all(*store_, id)) == bytes) << n;
  }
}

TEST(LargeWriters, AreAsManyAsTheMostAndRoomComesBack) {
  LargeWriters writers;
  for (int n = 0; n < LargeWriters::kMost; ++n) EXPECT_TRUE(writers.try_enter());
  EXPECT_FALSE(writers.try_enter());
  EXPECT_FALSE(writers.try_enter());
  writers.leave();
  EXPECT_TRUE(writers.try_enter());
  EXPECT_FALSE(writers.try_enter());
}

// Whether the file system says of some of these bytes that they are not on the disk yet; none: it says nothing of it.
std::optional<bool> waits_for_the_disk(const fs::path& file) {
  constexpr unsigned kExtents = 100;
  alignas(fiemap) std::array<char, sizeof(fiemap) + kExtents * sizeof(fiemap_extent)> room{};
  auto* const map = reinterpret_cast<fiemap*>(room.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_extent_count = kExtents;
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::ioctl(fd.get(), FS_IOC_FIEMAP, map) != 0) return std::nullopt;
  bool waits = false;
  for (unsigned i = 0; i < map->fm_mapped_extents; ++i) {
    waits |= (map->fm_extents[i].fe_flags & (FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNWRITTEN)) != 0;
  }
  return waits;
}

TEST_F(FileBlobStoreTest, WhatWasCopiedIsOnTheDisk) {
  const std::string bytes(30'000'000, 'x');
  std::ofstream(temp_.path() / "unsynced") << bytes;
  if (!waits_for_the_disk(temp_.path() / "unsynced").value_or(false)) GTEST_SKIP() << "this file system does not tell";
  const FileId whole("0192f3a1-7c00-7a3e-8f00-0000000000c2");
  ASSERT_TRUE(wait(store_bytes(*store_, id_, bytes)));
  ASSERT_TRUE(wait(store_bytes(*store_, whole, "")));
  ASSERT_TRUE(wait(store_->copy(id_, {0, bytes.size()}, whole, 0, kNoHurry)));
  EXPECT_EQ(waits_for_the_disk(folder() / "c2" / (whole.value + ".part")), false);
}

TEST_F(FileBlobStoreTest, AWriteThatMissedItsDeadlineCanStillBeWaitedFor) {
  store_ = std::move(*FileBlobStore::open({.folder = folder(), .writer_threads = 1}));
  ASSERT_TRUE(wait(store_bytes(*store_, id_, "x")));
  auto writer = wait(store_->write(id_, 0, nullptr, kNoHurry));
  ASSERT_TRUE(writer);
  const fs::path pipe = hang();
  EXPECT_THAT(wait((*writer)->write(std::string(300'000, 'y'), SteadyTime::min())), FailsWith("deadline_exceeded"));
  EXPECT_EQ(fs::file_size(folder() / "c1" / (id_.value + ".part")), 1u);
  auto size_after_flush = std::async(std::launch::async, [&] {
    EXPECT_THAT(wait((*writer)->flush(kNoHurry)), FailsWith("deadline_exceeded"));
    return fs::file_size(folder() / "c1" / (id_.value + ".part"));
  });
  const UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(size_after_flush.get(), 131'072u);
}

TEST_F(FileBlobStoreTest, AFolderThatIsGoneFailsThePingAndIsNobodysMissingFile) {
  EXPECT_TRUE(wait(store_->ping(kNoHurry)));
  fs::remove_all(folder());
  EXPECT_THAT(wait(store_->ping(kNoHurry)), FailsWith("unavailable"));
  EXPECT_THAT(wait(store_->create(id_, {}, kNoHurry)), FailsWith("unavailable"));
  EXPECT_THAT(wait(store_->list({}, 10, kNoHurry)), FailsWith("unavailable"));
}

TEST_F(FileBlobStoreTest, AFolderThatCannotBeMadeIsSaidByName) {
  std::ofstream(temp_.path() / "file") << "x";
  const auto refused = FileBlobStore::open({.folder = temp_.path() / "file" / "objects"});
  EXPECT_THAT(refused, FailsWith("folder_unusable"));
  EXPECT_NE(refused.error().detail.find("file/objects"), std::string::npos);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Files, BlobStoreContract, ::testing::Values(make_file_store),
                         [](const auto&) { return std::string("Files"); });
}  // namespace testing

}  // namespace parley::media
