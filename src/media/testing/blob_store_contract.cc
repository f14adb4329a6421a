#include "media/testing/blob_store_contract.h"

#include <algorithm>
#include <map>
#include <thread>

namespace parley::media::testing {

using Suite = BlobStoreContract;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

namespace {

constexpr SteadyTime kNoHurry = SteadyTime::max();

// In pieces of an odd length, each in memory that is used again at once.
Task<Result<>> write_pieces(BlobWriter& writer, std::string_view bytes) {
  constexpr std::size_t kPiece = 50'021;
  std::string piece;
  while (!bytes.empty()) {
    piece.assign(bytes.substr(0, kPiece));
    bytes.remove_prefix(piece.size());
    if (auto taken = co_await writer.write(piece, kNoHurry); !taken) co_return taken;
    piece.assign(piece.size(), '#');
  }
  co_return Result<>();
}

Task<Result<>> write_run(BlobStore& store, FileId id, std::uint64_t offset, std::string bytes,
                         std::shared_ptr<Digests> digests) {
  auto writer = co_await store.write(id, offset, std::move(digests), kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  if (auto written = co_await write_pieces(**writer, bytes); !written) co_return written;
  EXPECT_EQ((*writer)->offset(), offset + bytes.size());
  co_return co_await (*writer)->sync(kNoHurry);
}

Task<Result<std::string>> read_run(Result<std::unique_ptr<BlobReader>> reader, std::optional<ByteRange> range) {
  if (!reader) co_return std::unexpected(reader.error());
  const ByteRange asked = range.value_or(ByteRange{0, (*reader)->size()});
  const std::unique_ptr<http::Body> body = (*reader)->read(asked);
  EXPECT_EQ(body->size(), asked.length());
  co_return co_await http::read_all(*body, asked.length());
}

Task<Result<std::string>> open_and_read(BlobStore& store, FileId id, std::optional<ByteRange> range) {
  co_return co_await read_run(co_await store.open(id, kNoHurry), range);
}

Task<Result<std::string>> open_and_read_thumbnail(BlobStore& store, FileId id, ThumbnailSize size) {
  co_return co_await read_run(co_await store.open_thumbnail(id, size, kNoHurry), {});
}

}  // namespace

Suite::BlobStoreContract() {
  loops_.start();
  under_test_ = GetParam()();
}
Suite::~BlobStoreContract() {
  under_test_.reset();
  loops_.stop();
}

FileId Suite::new_id() {
  return FileId(make_uuid_v7(clock_.wall_now(), random_));
}

std::string Suite::random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  random_.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

FileId Suite::begun(std::string bytes) {
  FileId id = new_id();
  EXPECT_TRUE(wait(store().create(id, {}, kNoHurry)));
  EXPECT_TRUE(write(id, 0, std::move(bytes)));
  return id;
}

FileId Suite::sealed(std::string bytes) {
  const std::size_t size = bytes.size();
  FileId id = begun(std::move(bytes));
  EXPECT_TRUE(wait(store().seal(id, size, kNoHurry)));
  return id;
}

Result<> Suite::write(FileId id, std::uint64_t offset, std::string bytes, std::shared_ptr<Digests> digests,
                      std::size_t loop) {
  return wait(write_run(store(), std::move(id), offset, std::move(bytes), std::move(digests)), loop);
}

Result<std::string> Suite::read(FileId id) {
  return wait(open_and_read(store(), std::move(id), {}));
}
Result<std::string> Suite::read(FileId id, ByteRange range) {
  return wait(open_and_read(store(), std::move(id), range));
}
Result<std::string> Suite::thumbnail(FileId id, ThumbnailSize size) {
  return wait(open_and_read_thumbnail(store(), std::move(id), size));
}

std::vector<StoredBlob> Suite::list(std::size_t limit) {
  std::vector<StoredBlob> all;
  for (std::optional<FileId> after;;) {
    auto page = wait(store().list(after, limit, kNoHurry));
    EXPECT_TRUE(page.has_value());
    if (!page) return all;
    EXPECT_LE(page->items.size(), limit);
    all.insert(all.end(), page->items.begin(), page->items.end());
    if (!page->has_more) return all;
    EXPECT_THAT(page->items, Not(IsEmpty()));
    after = all.back().id;
  }
}

// -------------------------------------------------------------------------------------------------- writing, sealing

TEST_P(BlobStoreContract, WhatIsWrittenAndSealedIsReadBackWhateverItsSize) {
  for (const std::size_t size : {0u, 1u, 131'071u, 131'072u, 131'073u, 262'144u, 3'000'000u, 20'000'000u}) {
    const std::string bytes = random_bytes(size);
    const FileId id = new_id();
    const auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
    ASSERT_TRUE(wait(store().create(id, size, kNoHurry)));
    ASSERT_TRUE(write(id, 0, bytes, digests));
    EXPECT_EQ(digests->length(), size);
    EXPECT_EQ(digests->sha256(), sha256(bytes));
    ASSERT_TRUE(wait(store().seal(id, size, kNoHurry)));
    EXPECT_EQ(read(id), bytes) << size;
  }
}

Task<Result<>> write_and_flush(BlobStore& store, FileId id, std::string bytes, std::shared_ptr<Digests> digests) {
  auto writer = co_await store.write(id, 0, digests, kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  for (const char& byte : bytes) {
    if (auto taken = co_await (*writer)->write({&byte, 1}, kNoHurry); !taken) co_return taken;
    if (auto flushed = co_await (*writer)->flush(kNoHurry); !flushed) co_return flushed;
    EXPECT_EQ(digests->length(), (*writer)->offset());
  }
  co_return Result<>();
}

TEST_P(BlobStoreContract, AfterAFlushAllIsInTheDigestsAndCanBeSealed) {
  const FileId id = new_id();
  ASSERT_TRUE(wait(store().create(id, {}, kNoHurry)));
  const auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  ASSERT_TRUE(wait(write_and_flush(store(), id, "a few bytes", digests)));
  EXPECT_EQ(digests->sha256(), sha256("a few bytes"));
  ASSERT_TRUE(wait(store().seal(id, 11, kNoHurry)));
  EXPECT_EQ(read(id), "a few bytes");
}

TEST_P(BlobStoreContract, SeveralWritersFillRangesOfTheirOwnInAnyOrderAtOnce) {
  constexpr std::size_t kRange = 700'001;
  constexpr std::size_t kRanges = 8;
  const std::string bytes = random_bytes(kRange * kRanges);
  const FileId id = new_id();
  ASSERT_TRUE(wait(store().create(id, bytes.size(), kNoHurry)));
  std::vector<std::thread> senders;
  for (std::size_t i = kRanges; i-- > 0;) {
    senders.emplace_back([&, i] {
      const std::string own = bytes.substr(i * kRange, kRange);
      const auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
      EXPECT_TRUE(write(id, i * kRange, own, digests, i % 2));
      EXPECT_EQ(digests->sha256(), sha256(own));
    });
  }
  for (std::thread& sender : senders) sender.join();
  ASSERT_TRUE(wait(store().seal(id, bytes.size(), kNoHurry)));
  EXPECT_EQ(read(id), bytes);
}

TEST_P(BlobStoreContract, AnUnfinishedBlobIsReadAndGoneOnWithAfterARestart) {
  const FileId id = begun("the first half, ");
  const FileId whole = sealed("whole");
  reopen();
  EXPECT_EQ(read(id), "the first half, ");
  EXPECT_EQ(read(whole), "whole");
  ASSERT_TRUE(write(id, 16, "the second half"));
  ASSERT_TRUE(wait(store().seal(id, 31, kNoHurry)));
  reopen();
  EXPECT_EQ(read(id), "the first half, the second half");
}

TEST_P(BlobStoreContract, BytesMayBeWrittenOverUntilTheBlobIsSealed) {
  const FileId id = begun("wrong bytes");
  ASSERT_TRUE(write(id, 0, "right"));
  EXPECT_EQ(read(id), "right bytes");
}

TEST_P(BlobStoreContract, SealingAgainIsFineAndAnotherSizeIsNot) {
  const FileId id = begun("12345");
  const auto refused = wait(store().seal(id, 6, kNoHurry));
  EXPECT_THAT(refused, FailsWith("blob_incomplete"));
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  ASSERT_TRUE(write(id, 5, "6"));
  EXPECT_TRUE(wait(store().seal(id, 6, kNoHurry)));
  EXPECT_TRUE(wait(store().seal(id, 6, kNoHurry)));
  for (const std::uint64_t wrong : {0u, 5u, 7u}) {
    EXPECT_THAT(wait(store().seal(id, wrong, kNoHurry)), FailsWith("blob_incomplete"));
  }
  EXPECT_EQ(read(id), "123456");
}

TEST_P(BlobStoreContract, WhatStandsBehindTheEndIsCutOffBySealing) {
  const std::string bytes = random_bytes(700'001);
  const FileId id = begun(bytes), empty = begun("bytes");
  ASSERT_TRUE(wait(store().seal(id, 300'000, kNoHurry)));
  ASSERT_TRUE(wait(store().seal(empty, 0, kNoHurry)));
  reopen();
  EXPECT_EQ(read(id), bytes.substr(0, 300'000));
  EXPECT_EQ(read(empty), "");
  EXPECT_TRUE(wait(store().seal(id, 300'000, kNoHurry)));
}

TEST_P(BlobStoreContract, OfSealsAtTheSameMomentAllSucceed) {
  for (int round = 0; round < 10; ++round) {
    const FileId id = begun("bytes");
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < 4; ++i) {
      callers.emplace_back([&, i] { EXPECT_TRUE(wait(store().seal(id, 5, kNoHurry), i % 2)); });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(read(id), "bytes");
  }
}

TEST_P(BlobStoreContract, ABlobIsBegunOnceAndNotWrittenOnceSealed) {
  const FileId id = begun("bytes");
  EXPECT_THAT(wait(store().create(id, {}, kNoHurry)), FailsWith("blob_exists"));
  ASSERT_TRUE(wait(store().seal(id, 5, kNoHurry)));
  EXPECT_THAT(wait(store().create(id, {}, kNoHurry)), FailsWith("blob_exists"));
  EXPECT_THAT(write(id, 0, "other"), FailsWith("not_found"));
  EXPECT_EQ(read(id), "bytes");
}

TEST_P(BlobStoreContract, MoreThanTheDiskHasIsRefusedAtTheStart) {
  const FileId id = new_id();
  const auto refused = wait(store().create(id, std::uint64_t{1} << 60, kNoHurry));
  EXPECT_THAT(refused, FailsWith("storage_full"));
  EXPECT_EQ(refused.error().kind, ErrorKind::kNoRoom);
  EXPECT_THAT(list(10), IsEmpty());
  EXPECT_TRUE(wait(store().create(id, 5, kNoHurry)));
}

Task<Result<>> write_and_go(BlobStore& store, FileId id, std::string bytes) {
  const auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  auto writer = co_await store.write(id, 0, digests, kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  co_return co_await (*writer)->write(bytes, kNoHurry);
}

TEST_P(BlobStoreContract, AWriterMayGoWhileItsBytesAreOnTheirWay) {
  const std::string bytes = random_bytes(5 * 131'072 + 7);
  for (int round = 0; round < 20; ++round) {
    const FileId id = begun("");
    ASSERT_TRUE(wait(write_and_go(store(), id, bytes)));
    ASSERT_TRUE(write(id, 0, bytes));
    EXPECT_EQ(read(id), bytes);
    ASSERT_TRUE(wait(store().remove(id, kNoHurry)));
  }
}

// ----------------------------------------------------------------------------------------------------------- reading

TEST_P(BlobStoreContract, AnyRangeIsReadOfAnOpenBlob) {
  const std::string bytes = random_bytes(400'000);
  const FileId id = sealed(bytes);
  for (const ByteRange range : {ByteRange{0, 0}, ByteRange{0, 1}, ByteRange{399'999, 400'000},
                                ByteRange{400'000, 400'000}, ByteRange{131'071, 131'073}, ByteRange{5, 399'000}}) {
    EXPECT_EQ(read(id, range), bytes.substr(range.first, range.length())) << range.first;
  }
}

Task<Result<std::string>> remove_and_read(BlobStore& store, FileId id) {
  auto reader = co_await store.open(id, kNoHurry);
  if (auto removed = co_await store.remove(id, kNoHurry); !removed) co_return std::unexpected(removed.error());
  co_return co_await read_run(std::move(reader), {});
}

TEST_P(BlobStoreContract, WhatIsOpenStaysReadableWhenItIsRemoved) {
  const std::string bytes = random_bytes(1'000'000);
  const FileId id = sealed(bytes);
  EXPECT_EQ(wait(remove_and_read(store(), id)), bytes);
  EXPECT_THAT(read(id), FailsWith("not_found"));
}

// ----------------------------------------------------------------------------------------------------------- copying

TEST_P(BlobStoreContract, PartsAreCopiedIntoAnotherBlobOneAfterTheOther) {
  const std::string first = random_bytes(20'000'000), second = random_bytes(300'001);
  const FileId a = begun(first), b = begun(second), whole = begun("");
  ASSERT_TRUE(wait(store().copy(b, {0, second.size()}, whole, first.size(), kNoHurry)));
  ASSERT_TRUE(wait(store().copy(a, {0, 12'345'678}, whole, 0, kNoHurry)));
  ASSERT_TRUE(wait(store().copy(a, {12'345'678, first.size()}, whole, 12'345'678, kNoHurry)));
  ASSERT_TRUE(wait(store().copy(a, {7, 7}, whole, 7, kNoHurry)));
  ASSERT_TRUE(wait(store().seal(whole, first.size() + second.size(), kNoHurry)));
  EXPECT_EQ(read(whole), first + second);
  EXPECT_EQ(read(a), first);
}

TEST_P(BlobStoreContract, ACopyOfMoreThanThereIsOrOfNothingOrIntoNothingFails) {
  const FileId a = begun("bytes"), whole = begun(""), done = sealed("done");
  EXPECT_THAT(wait(store().copy(a, {0, 6}, whole, 0, kNoHurry)), FailsWith("blob_incomplete"));
  EXPECT_THAT(wait(store().copy(a, {5, 6}, whole, 0, kNoHurry)), FailsWith("blob_incomplete"));
  EXPECT_THAT(wait(store().copy(new_id(), {0, 1}, whole, 0, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(wait(store().copy(a, {0, 1}, new_id(), 0, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(wait(store().copy(a, {0, 1}, done, 0, kNoHurry)), FailsWith("not_found"));
  EXPECT_EQ(read(whole), "");
}

// ---------------------------------------------------------------------------------------------------------- removing

TEST_P(BlobStoreContract, WhatIsRemovedIsGoneAndRemovingItAgainIsFine) {
  const FileId unfinished = begun("bytes"), finished = sealed("bytes");
  for (const FileId& id : {unfinished, finished, new_id()}) {
    EXPECT_TRUE(wait(store().remove(id, kNoHurry)));
    EXPECT_TRUE(wait(store().remove(id, kNoHurry)));
    EXPECT_THAT(read(id), FailsWith("not_found"));
    EXPECT_THAT(write(id, 0, "x"), FailsWith("not_found"));
    EXPECT_THAT(wait(store().seal(id, 5, kNoHurry)), FailsWith("not_found"));
  }
  EXPECT_THAT(list(10), IsEmpty());
}

Task<Result<>> remove_under_a_writer(BlobStore& store, FileId id) {
  auto writer = co_await store.write(id, 0, nullptr, kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  if (auto removed = co_await store.remove(id, kNoHurry); !removed) co_return removed;
  (void)co_await (*writer)->write(std::string(1 << 20, 'x'), kNoHurry);
  (void)co_await (*writer)->sync(kNoHurry);
  co_return Result<>();
}

TEST_P(BlobStoreContract, AWriterDoesNotBringBackWhatWasRemoved) {
  const FileId id = begun("");
  ASSERT_TRUE(wait(remove_under_a_writer(store(), id)));
  EXPECT_THAT(wait(store().seal(id, 1 << 20, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(list(10), IsEmpty());
}

// ----------------------------------------------------------------------------------------------------------- listing

TEST_P(BlobStoreContract, EveryBlobIsListedOnceWhateverTheLengthOfThePages) {
  const WallTime before = clock_.wall_now() - std::chrono::seconds(2);
  std::map<FileId, std::size_t> unfinished, finished;
  for (std::size_t i = 0; i < 30; ++i) {
    unfinished.emplace(begun(std::string(i, 'u')), i);
    finished.emplace(sealed(std::string(2 * i, 's')), 2 * i);
  }
  for (const std::size_t limit : {1u, 7u, 60u, 1000u}) {
    std::map<FileId, std::size_t> listed_unfinished, listed_finished;
    const std::vector<StoredBlob> all = list(limit);
    EXPECT_THAT(all, SizeIs(60));
    for (const StoredBlob& blob : all) {
      (blob.sealed ? listed_finished : listed_unfinished).emplace(blob.id, blob.size);
      EXPECT_GE(blob.modified_at, before);
      EXPECT_LE(blob.modified_at, clock_.wall_now() + std::chrono::seconds(2));
    }
    EXPECT_EQ(listed_unfinished, unfinished) << limit;
    EXPECT_EQ(listed_finished, finished) << limit;
  }
}

TEST_P(BlobStoreContract, APlaceInTheListOutlivesTheBlobThatMarkedIt) {
  for (int i = 0; i < 10; ++i) begun("x");
  auto first = wait(store().list({}, 4, kNoHurry));
  ASSERT_TRUE(first && first->items.size() == 4 && first->has_more);
  ASSERT_TRUE(wait(store().remove(first->items.back().id, kNoHurry)));
  auto rest = wait(store().list(first->items.back().id, 100, kNoHurry));
  ASSERT_TRUE(rest);
  EXPECT_THAT(rest->items, SizeIs(6));
  EXPECT_FALSE(rest->has_more);
}

// -------------------------------------------------------------------------------------------------------- thumbnails

TEST_P(BlobStoreContract, ThumbnailsStandBesideASealedBlobAreReplacedAndGoWithIt) {
  const FileId id = sealed("a picture");
  EXPECT_THAT(thumbnail(id, ThumbnailSize::kSmall), FailsWith("not_found"));
  const std::string large = random_bytes(300'000);
  ASSERT_TRUE(wait(store().put_thumbnail(id, ThumbnailSize::kSmall, "small, and first", kNoHurry)));
  ASSERT_TRUE(wait(store().put_thumbnail(id, ThumbnailSize::kSmall, "small", kNoHurry)));
  ASSERT_TRUE(wait(store().put_thumbnail(id, ThumbnailSize::kLarge, large, kNoHurry)));
  EXPECT_EQ(thumbnail(id, ThumbnailSize::kSmall), "small");
  EXPECT_EQ(thumbnail(id, ThumbnailSize::kLarge), large);
  EXPECT_THAT(thumbnail(id, ThumbnailSize::kMedium), FailsWith("not_found"));
  EXPECT_EQ(read(id), "a picture");
  const std::vector<StoredBlob> all = list(10);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_TRUE(all.front().sealed);
  EXPECT_EQ(all.front().size, 9u);
  ASSERT_TRUE(wait(store().remove(id, kNoHurry)));
  EXPECT_THAT(thumbnail(id, ThumbnailSize::kSmall), FailsWith("not_found"));
  EXPECT_THAT(list(10), IsEmpty());
}

TEST_P(BlobStoreContract, ThereAreNoThumbnailsOfWhatIsNotSealed) {
  const FileId id = begun("half a picture");
  EXPECT_THAT(wait(store().put_thumbnail(id, ThumbnailSize::kSmall, "x", kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(wait(store().put_thumbnail(new_id(), ThumbnailSize::kSmall, "x", kNoHurry)), FailsWith("not_found"));
}

TEST_P(BlobStoreContract, OfThumbnailsWrittenAtOnceOneIsThereWhole) {
  const FileId id = sealed("a picture");
  std::vector<std::thread> makers;
  for (std::size_t i = 0; i < 6; ++i) {
    makers.emplace_back([&, i] {
      const std::string bytes(200'000 * (i + 1), static_cast<char>('a' + i));
      EXPECT_TRUE(wait(store().put_thumbnail(id, ThumbnailSize::kSmall, bytes, kNoHurry), i % 2));
    });
  }
  for (std::thread& maker : makers) maker.join();
  const auto left = thumbnail(id, ThumbnailSize::kSmall);
  ASSERT_TRUE(left && !left->empty());
  EXPECT_EQ(*left, std::string(200'000 * static_cast<std::size_t>(left->front() - 'a' + 1), left->front()));
}

// --------------------------------------------------------------------------------------------------------------- ids

TEST_P(BlobStoreContract, AnIdThatIsNoUuidIsOfNothing) {
  const FileId real = sealed("bytes");
  std::string upper = real.value;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const std::string& text :
       {std::string(), std::string("../../etc/passwd"), std::string("x"), std::string(36, '/'), std::string(36, '.'),
        real.value + "\n", real.value + ".part", "/" + real.value, std::string(300, 'a'), upper,
        real.value.substr(0, 35) + std::string(1, '\0')}) {
    const FileId id(text);
    EXPECT_THAT(wait(store().create(id, {}, kNoHurry)), FailsWith("not_found"));
    EXPECT_THAT(write(id, 0, "x"), FailsWith("not_found"));
    EXPECT_THAT(wait(store().seal(id, 5, kNoHurry)), FailsWith("not_found"));
    EXPECT_THAT(wait(store().copy(id, {0, 1}, real, 0, kNoHurry)), FailsWith("not_found"));
    EXPECT_THAT(read(id), FailsWith("not_found"));
    EXPECT_THAT(thumbnail(id, ThumbnailSize::kSmall), FailsWith("not_found"));
    EXPECT_THAT(wait(store().put_thumbnail(id, ThumbnailSize::kSmall, "x", kNoHurry)), FailsWith("not_found"));
    EXPECT_THAT(wait(store().list(id, 10, kNoHurry)), FailsWith("not_found"));
    EXPECT_TRUE(wait(store().remove(id, kNoHurry)));
  }
  EXPECT_EQ(read(real), "bytes");
  EXPECT_THAT(list(10), SizeIs(1));
}

TEST_P(BlobStoreContract, AStoreThatWorksAnswersAPing) {
  EXPECT_TRUE(wait(store().ping(kNoHurry)));
}

}  // namespace parley::media::testing
