#include "drivers/vips/vips.h"

#include <dlfcn.h>

#include <array>

#include "drivers/vips/webp_chunks.h"

namespace parley::vips {

namespace {

constexpr const char* kLibrary = "libvips.so.42";
// Values of libvips' enumerations, which are part of its stable interface.
constexpr int kSequential = 1;    // VIPS_ACCESS_SEQUENTIAL
constexpr int kOnlyDown = 2;      // VIPS_SIZE_DOWN
constexpr int kFailOnErrors = 2;  // VIPS_FAIL_ON_ERROR
constexpr int kQuality = 80;
constexpr const char* kEnd = nullptr;

struct Loader {
  std::string_view name;  // what its classes begin with
  const char* blocked_as;
  Format format;
};
constexpr std::array<Loader, 4> kLoaders{{{"VipsForeignLoadJpeg", "VipsForeignLoadJpeg", Format::kJpeg},
                                          {"VipsForeignLoadPng", "VipsForeignLoadPng", Format::kPng},
                                          {"VipsForeignLoadWebp", "VipsForeignLoadWebp", Format::kWebp},
                                          {"VipsForeignLoadNsgif", "VipsForeignLoadNsgif", Format::kGif}}};

std::unexpected<Error> missing() {
  const char* const why = ::dlerror();
  return unavailable("libvips_missing", why != nullptr ? why : "libvips cannot be used.");
}

}  // namespace

// The functions of libvips and GLib that are called, by their own names. Objects are opaque here.
struct Library::Functions {
  int (*vips_init)(const char*);
  void (*vips_block_untrusted_set)(int);
  void (*vips_operation_block_set)(const char*, int);
  void (*vips_concurrency_set)(int);
  void (*vips_cache_set_max)(int);
  const char* (*vips_error_buffer)();
  void* (*vips_source_new_from_descriptor)(int);
  const char* (*vips_foreign_find_load_source)(void*);
  void* (*vips_image_new_from_source)(void*, const char*, ...);
  int (*vips_image_get_width)(const void*);
  int (*vips_image_get_height)(const void*);
  int (*vips_image_get_orientation_swap)(void*);
  int (*vips_thumbnail_source)(void*, void**, int, ...);
  int (*vips_thumbnail_image)(void*, void**, int, ...);
  void* (*vips_image_copy_memory)(void*);
  int (*vips_webpsave_buffer)(void*, void**, std::size_t*, ...);
  void (*g_object_unref)(void*);
  void (*g_free)(void*);

  bool find_all(void* library) {
    return find(library, "vips_init", vips_init) &&
           find(library, "vips_block_untrusted_set", vips_block_untrusted_set) &&
           find(library, "vips_operation_block_set", vips_operation_block_set) &&
           find(library, "vips_concurrency_set", vips_concurrency_set) &&
           find(library, "vips_cache_set_max", vips_cache_set_max) &&
           find(library, "vips_error_buffer", vips_error_buffer) &&
           find(library, "vips_source_new_from_descriptor", vips_source_new_from_descriptor) &&
           find(library, "vips_foreign_find_load_source", vips_foreign_find_load_source) &&
           find(library, "vips_image_new_from_source", vips_image_new_from_source) &&
           find(library, "vips_image_get_width", vips_image_get_width) &&
           find(library, "vips_image_get_height", vips_image_get_height) &&
           find(library, "vips_image_get_orientation_swap", vips_image_get_orientation_swap) &&
           find(library, "vips_thumbnail_source", vips_thumbnail_source) &&
           find(library, "vips_thumbnail_image", vips_thumbnail_image) &&
           find(library, "vips_image_copy_memory", vips_image_copy_memory) &&
           find(library, "vips_webpsave_buffer", vips_webpsave_buffer) &&
           find(library, "g_object_unref", g_object_unref) && find(library, "g_free", g_free);
  }

 private:
  template <class Function>
  static bool find(void* library, const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(::dlsym(library, name));
    return function != nullptr;
  }
};

Library::Library(std::unique_ptr<Functions> functions) : call_(std::move(functions)) {}

Library::~Library() {
  if (source_ != nullptr) call_->g_object_unref(source_);
}

Result<std::unique_ptr<Library>> Library::load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);  // for as long as the process lives
  if (library == nullptr) return missing();
  auto functions = std::make_unique<Functions>();
  if (!functions->find_all(library)) return missing();
  if (functions->vips_init("parley") != 0) return unavailable("libvips_missing", functions->vips_error_buffer());
  functions->vips_block_untrusted_set(1);
  functions->vips_operation_block_set("VipsForeignLoad", 1);
  for (const Loader& loader : kLoaders) functions->vips_operation_block_set(loader.blocked_as, 0);
  functions->vips_concurrency_set(1);
  functions->vips_cache_set_max(0);
  return std::unique_ptr<Library>(new Library(std::move(functions)));
}

std::unexpected<Error> Library::broken() const {
  return fail(ErrorKind::kInvalid, "picture_broken", call_->vips_error_buffer());
}

Result<Header> Library::open(int fd) {
  source_ = call_->vips_source_new_from_descriptor(fd);
  if (source_ == nullptr) return broken();
  const char* const found = call_->vips_foreign_find_load_source(source_);
  const std::string_view name(found != nullptr ? found : "");
  Header header;
  bool known = false;
  for (const Loader& loader : kLoaders) {
    if (!name.starts_with(loader.name)) continue;
    header.format = loader.format;
    known = true;
  }
  if (!known) return fail(ErrorKind::kUnsupportedMediaType, "picture_unsupported", std::string(name));
  const Image image(call_->vips_image_new_from_source(source_, "", "access", kSequential, kEnd), call_->g_object_unref);
  if (image.get() == nullptr) return broken();
  const int width = call_->vips_image_get_width(image.get());
  const int height = call_->vips_image_get_height(image.get());
  if (width <= 0 || height <= 0) return broken();
  const bool turned = call_->vips_image_get_orientation_swap(image.get()) != 0;
  header.stored_pixels = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
  header.width = static_cast<std::uint32_t>(turned ? height : width);
  header.height = static_cast<std::uint32_t>(turned ? width : height);
  return header;
}

Result<Image> Library::thumbnail(std::uint32_t pixels) {
  const int side = static_cast<int>(pixels);
  void* made = nullptr;
  const int failed = call_->vips_thumbnail_source(source_, &made, side, "height", side, "size", kOnlyDown,
                                                  "export_profile", "srgb", "fail_on", kFailOnErrors, kEnd);
  const Image lazy(made, call_->g_object_unref);
  if (failed != 0) return broken();
  // Decodes, once for all that is made of it.
  Image image(call_->vips_image_copy_memory(lazy.get()), call_->g_object_unref);
  if (image.get() == nullptr) return broken();
  return image;
}

Result<Image> Library::shrink(const Image& image, std::uint32_t pixels) {
  const int side = static_cast<int>(pixels);
  void* made = nullptr;
  const int failed = call_->vips_thumbnail_image(image.get(), &made, side, "height", side, "size", kOnlyDown, kEnd);
  Image smaller(made, call_->g_object_unref);
  if (failed != 0) return broken();
  return smaller;
}

Result<std::string> Library::as_webp(const Image& image) {
  void* bytes = nullptr;
  std::size_t size = 0;
  if (call_->vips_webpsave_buffer(image.get(), &bytes, &size, "Q", kQuality, "strip", 1, kEnd) != 0) return broken();
  auto made = without_metadata({static_cast<const char*>(bytes), size});
  call_->g_free(bytes);
  if (!made) return broken();
  return std::move(*made);
}

}  // namespace parley::vips
