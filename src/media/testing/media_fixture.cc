#include "media/testing/media_fixture.h"

#include <boost/asio/co_spawn.hpp>

#include "base/check.h"
#include "http/request_scope.h"

namespace parley::media::testing {

namespace {

class TestAuthentication final : public http::Middleware {
 public:
  Verdict before(http::Exchange& exchange) override {
    const http::Fields& fields = exchange.request.fields;
    const auto user = fields.find("Test-User");
    exchange.from_role = fields.find("Test-Role").has_value();
    if (!user) return {};
    const auto roles = fields.find("Test-Roles").value_or("");
    Caller caller{TenantId(fields.find("Test-Tenant").value_or("acme")), UserId(*user), {}, ""};
    caller.roles.admin = roles.find("admin") != std::string_view::npos;
    exchange.caller = std::make_shared<const Caller>(std::move(caller));
    return {};
  }
};

Task<Answer> ask(http::Service& service, http::Request& request) {
  http::Response response = co_await service.serve(request);
  Answer answer{response.status, std::move(response.headers), std::move(response.body), {}};
  while (response.stream) {
    const auto piece = co_await response.stream->read();
    if (!piece || piece->empty()) break;
    answer.body.append(*piece);
  }
  co_return answer;
}

Task<Result<std::string>> read_blob(BlobStore& blobs, FileId id) {
  auto reader = co_await blobs.open(id, SteadyTime::max());
  if (!reader) co_return fail(reader.error());
  const auto body = (*reader)->read({0, (*reader)->size()});
  co_return co_await http::read_all(*body, (*reader)->size());
}

}  // namespace

Task<Result<>> TestBlobs::create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) {
  if (is_full) co_return fail(ErrorKind::kNoRoom, "storage_full", "There is no room to store this.");
  co_return co_await real_.create(std::move(id), size, deadline);
}

Task<> TestBlobs::wait_while(const std::atomic<bool>& stopped) {
  while (stopped) {
    auto [promise, future] = make_one_shot<void>(EventLoop::current());
    promise.deliver({});
    (void)co_await future.wait(SteadyTime::max());
  }
}

Task<Result<>> TestBlobs::seal(FileId id, std::uint64_t size, SteadyTime deadline) {
  co_await wait_while(seals_stop);
  if (seals_fail) co_return unavailable("unavailable", "Files cannot be stored or read at the moment.");
  co_return co_await real_.seal(std::move(id), size, deadline);
}

Task<Result<std::unique_ptr<BlobReader>>> TestBlobs::open(FileId id, SteadyTime deadline) {
  ++opened;
  co_await wait_while(reads_stop);
  co_return co_await real_.open(std::move(id), deadline);
}

MediaFixture::MediaFixture(QuotaLimits quotas, std::chrono::milliseconds patience)
    : quotas_(quotas), patience_(patience) {
  sniffer_ = std::move(*ContentTypeSniffer::open());
  others_.start();
  open();
}

MediaFixture::~MediaFixture() {
  close();
  others_.stop();
}

void MediaFixture::open() {
  auto store =
      SqliteMediaStore::open({.folder = folder_.path(), .limits = quotas_, .reader_threads = 1}, clock_, random_);
  auto files = FileBlobStore::open({.folder = folder_.path() / "objects", .writer_threads = 2, .reader_threads = 2});
  CHECK(store.has_value() && files.has_value());
  store_ = std::move(*store);
  files_ = std::move(*files);
  blobs_ = std::make_unique<TestBlobs>(*files_);
  uploads_ = std::make_unique<UploadEngine>(UploadParts{.store = *store_,
                                                        .blobs = *blobs_,
                                                        .sniffer = *sniffer_,
                                                        .metrics = media_metrics_,
                                                        .clock = clock_,
                                                        .random = random_,
                                                        .limits = {.max_file_bytes = kMaxFile,
                                                                   .chunk_bytes = chunk_bytes_,
                                                                   .checkpoint_bytes = 100'000,
                                                                   .checkpoint_pause = kCheckpointPause,
                                                                   .patience = patience_}});
  uploads_->on_stored([this](const File& file) {
    const std::lock_guard lock(announced_mutex_);
    announced_.push_back(file);
  });
  uploads_->start(loop_.loop());
  rights_ = std::make_unique<FileRights>(*store_, &shown_);
  MediaDependencies dependencies{.media = {.store = *store_,
                                           .blobs = *blobs_,
                                           .uploads = *uploads_,
                                           .rights = *rights_,
                                           .signer = signer_,
                                           .signed_url_life = std::chrono::seconds(900),
                                           .metrics = media_metrics_,
                                           .clock = clock_},
                                 .metrics = metrics_};
  dependencies.middleware = [](const std::vector<http::Route>&) {
    return std::vector<std::shared_ptr<http::Middleware>>{
        std::make_shared<http::RequestScope>(std::chrono::seconds(20)), std::make_shared<TestAuthentication>()};
  };
  service_ = make_media_service(std::move(dependencies));
}

void MediaFixture::close() {
  std::promise<void> stopped;
  loop_.loop().post([&] { uploads_->stop([&] { stopped.set_value(); }); });
  stopped.get_future().wait();
  service_.reset();
  rights_.reset();
  uploads_.reset();
  blobs_.reset();
  files_.reset();
  store_.reset();
}

void MediaFixture::restart() {
  close();
  open();
}

HeaderList MediaFixture::as(std::string user, std::string tenant, std::string roles) {
  HeaderList headers{{"Test-User", std::move(user)}, {"Test-Tenant", std::move(tenant)}};
  if (!roles.empty()) headers.emplace_back("Test-Roles", std::move(roles));
  return headers;
}

MediaFixture::Sent::Sent(MediaFixture& fixture, std::size_t loop, http::Method method, std::string target,
                         HeaderList headers, std::optional<std::uint64_t> size)
    : target_(std::move(target)), headers_(std::move(headers)), body_(fixture.others_.at(loop), size) {
  request_.method = method;
  request_.method_text = http::to_string(method);
  request_.set_target(target_);
  request_.body = &body_;
  request_.peer = "127.0.0.1";
  for (const auto& [name, value] : headers_) request_.fields.add(name, value);
  auto promise = std::make_shared<std::promise<Answer>>();
  future_ = promise->get_future();
  asio::co_spawn(fixture.others_.at(loop).io(), ask(*fixture.service_, request_),
                 [promise](std::exception_ptr error, Answer answer) {
                   if (error) std::rethrow_exception(error);
                   promise->set_value(std::move(answer));
                 });
}

MediaFixture::Sent::~Sent() {
  if (answer_) return;
  body_.cut();
  future_.wait();
}

Answer MediaFixture::Sent::answer() {
  if (!answer_) answer_ = future_.get();
  return *answer_;
}

std::unique_ptr<MediaFixture::Sent> MediaFixture::send(http::Method method, std::string target, HeaderList headers,
                                                       std::optional<std::uint64_t> size, std::size_t loop) {
  for (auto& header : as("ada")) headers.push_back(std::move(header));
  return std::make_unique<Sent>(*this, loop, method, std::move(target), std::move(headers), size);
}

std::string MediaFixture::begin(std::uint64_t size, std::string filename, std::string more) {
  const Answer begun = client("ada").post(
      "/upload/chunk", R"({"filename":")" + filename + R"(","size":)" + std::to_string(size) + more + "}");
  EXPECT_EQ(begun.status, 201) << begun.body;
  return begun.status == 201 ? text_of(begun.json().as_object(), "upload_id") : "";
}

Answer MediaFixture::put(const std::string& upload, std::uint64_t index, std::string_view bytes, HeaderList headers) {
  return client("ada").send(http::Method::kPost, "/upload/chunk/" + upload + "?index=" + std::to_string(index), bytes,
                            std::move(headers));
}

Answer MediaFixture::complete(const std::string& upload) {
  return client("ada").send(http::Method::kPost, "/upload/complete/" + upload, "");
}

boost::json::object MediaFixture::progress(const std::string& upload) {
  const Answer answer = client("ada").get("/upload/" + upload + "/progress");
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.status == 200 ? answer.json().as_object() : boost::json::object();
}

void MediaFixture::wait_until_received(const std::string& upload, std::int64_t bytes) {
  while (progress(upload).at("received") != bytes && !HasFailure()) std::this_thread::yield();
}

Upload MediaFixture::stored_upload(const std::string& upload) {
  auto found = loop_.run(store_->get_upload(TenantId("acme"), FileId(upload), kNoHurry));
  EXPECT_TRUE(found);
  return found ? *found : Upload();
}

std::string MediaFixture::bytes_of(const std::string& file) {
  auto bytes = loop_.run(read_blob(*files_, FileId(file)));
  EXPECT_TRUE(bytes);
  return bytes.value_or("");
}

void MediaFixture::expect_nothing_left() {
  EXPECT_EQ(blobs().size(), 0u);
  EXPECT_EQ(usage().user.reserved, 0u);
  EXPECT_EQ(usage().user.files, 0u);
  EXPECT_EQ(usage().tenant.stored, 0u);
  const auto report = loop_.run(store_->check(kNoHurry));
  ASSERT_TRUE(report);
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
}

std::string text_of(const boost::json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}

std::string sha256_hex(std::string_view bytes) {
  return hex_encode(sha256(bytes));
}

std::string some_bytes(std::size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(engine());
  return bytes;
}

}  // namespace parley::media::testing
