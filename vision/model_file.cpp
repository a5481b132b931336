#include "vision/model_file.hpp"

#include <glib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

namespace edgecam::vision {

namespace {

constexpr std::uintmax_t kLargestModel = 64U << 20;

struct KnownModel {
    std::string_view sha256;
    std::string_view name;
};

// opencv_zoo's official file, and libfacedetection.train's onnx/yunet_n_640_640.onnx: the same decoding,
// better at faces below 24 pixels, half as slow again.
constexpr std::array kKnownModels{
    KnownModel{"8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4", "YuNet 2023mar"},
    KnownModel{"25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31", "YuNet n"},
};

std::string sha256Of(ByteView bytes) {
    const std::unique_ptr<char, decltype(&g_free)> hex(
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes.data(), bytes.size()), g_free);
    return hex.get();
}

}  // namespace

Result<ModelFile> readModelFile(const std::string& path) {
    std::error_code trouble;
    if (!std::filesystem::is_regular_file(path, trouble)) return Error{"it is not a file"};
    const std::uintmax_t size = std::filesystem::file_size(path, trouble);
    if (trouble) return Error{trouble.message()};
    if (size > kLargestModel) return Error{"it is larger than 64 MiB"};

    ModelFile file;
    file.bytes.resize(static_cast<std::size_t>(size));
    std::ifstream in(path, std::ios::binary);
    const auto wanted = static_cast<std::streamsize>(size);
    in.read(reinterpret_cast<char*>(file.bytes.data()), wanted);
    if (in.gcount() != wanted) return Error{"it can't be read"};
    file.sha256 = sha256Of(file.bytes);
    return file;
}

std::optional<std::string_view> knownModel(std::string_view sha256) {
    for (const KnownModel& model : kKnownModels) {
        if (model.sha256 == sha256) return model.name;
    }
    return std::nullopt;
}

}  // namespace edgecam::vision
