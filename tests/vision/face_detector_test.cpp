#include "vision/face_detector.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"
#include "tests/vision/test_picture.hpp"
#include "vision/cascade_detector.hpp"

using namespace edgecam;
using namespace edgecam::vision;
namespace fs = std::filesystem;

namespace {

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Empty, and a line says so, where the models are not there.
std::string sharedModel(const char* name) {
    const char* const shared = std::getenv("EDGECAM_SHARED");
    const fs::path path = fs::path(shared != nullptr ? shared : "../shared") / "models" / name;
    if (fs::exists(path)) return path.string();
    MESSAGE("skipped: ", path.string(), " is not there");
    return {};
}

std::string fileWith(const edgecam::test::TempFolder& folder, const char* name, const std::string& bytes) {
    const fs::path path = fs::path(folder.path()) / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
}

std::unique_ptr<FaceDetector> detectorOf(const DetectorSettings& settings) {
    auto chosen = makeFaceDetector(settings);
    REQUIRE(chosen);
    return std::move(chosen->detector);
}

constexpr Size kRoom{640, 360};
constexpr float kHead = 120;
const cv::Point2f kCentre(250, 190);

void findsTheDrawnFace(FaceDetector& detector, float leastOverlap) {
    const auto faces = detector.detect(test::pictureOf(test::roomWithFace(kRoom, kCentre, kHead)));
    REQUIRE(faces);
    REQUIRE(faces->size() == 1);
    const RectNorm truth = normalised(test::drawnFaceBox(kCentre, kHead), kRoom);
    CHECK(intersectionOverUnion((*faces)[0].box, truth) > leastOverlap);
    CHECK((*faces)[0].confidence > 0.6F);
}

void survivesOddPictures(FaceDetector& detector) {
    for (const Size size : {Size{1, 1}, Size{2, 2}, Size{3, 7}, Size{641, 361}, Size{1, 4000}, Size{16384, 3},
                            Size{5000, 4000}}) {
        CAPTURE(size.width);
        const auto faces = detector.detect(test::plainPicture(size, 90, 128, 128, 5));
        REQUIRE(faces);
        for (const Face& face : *faces) CHECK(clipped(face.box) == face.box);
    }
    CHECK_FALSE(detector.detect({}));
}

}  // namespace

TEST_CASE("without a model file the cascade takes over and says so") {
    const auto chosen = makeFaceDetector({.modelPaths = {"", "/nowhere/model.onnx"}});
    REQUIRE(chosen);
    CHECK(chosen->detector->name() == "haar cascade");
    CHECK_FALSE(chosen->model.isKnown);
    CHECK(says(chosen->model.path, "haarcascade"));
    CHECK(chosen->model.sha256.size() == 64);
    CHECK(says(chosen->model.explanation, "no YuNet model was found"));
}

TEST_CASE("a file with another hash is not loaded: the cascade takes over, and the file is named") {
    const edgecam::test::TempFolder folder;
    const auto path = fileWith(folder, "face_detection_yunet_2023mar.onnx", "<html>not found</html>");
    const auto chosen = makeFaceDetector({.modelPaths = {path}});
    REQUIRE(chosen);
    CHECK(chosen->detector->name() == "haar cascade");
    CHECK(says(chosen->model.explanation, path + " was passed over"));
    CHECK(says(chosen->model.explanation, "SHA-256"));

    const auto folderAsModel = makeFaceDetector({.modelPaths = {folder.path()}});
    REQUIRE(folderAsModel);
    CHECK(says(folderAsModel->model.explanation, "not a file"));
}

TEST_CASE("with neither model nor cascade there is an error that says both") {
    const edgecam::test::TempFolder folder;
    const auto none = makeFaceDetector({.cascadePaths = {"/nowhere/cascade.xml"}});
    REQUIRE_FALSE(none);
    CHECK(says(none.error().message, "no YuNet model"));
    CHECK(says(none.error().message, "opencv-data"));

    for (const char* text : {"", "<?xml version=\"1.0\"?><opencv_storage></opencv_storage>", "garbage"}) {
        const auto broken = makeFaceDetector({.cascadePaths = {fileWith(folder, "cascade.xml", text)}});
        REQUIRE_FALSE(broken);
        CHECK(says(broken.error().message, "cascade.xml was passed over"));
    }
}

TEST_CASE("settings out of range are refused") {
    CHECK_FALSE(makeFaceDetector({.inputSize = {0, 360}}));
    CHECK_FALSE(makeFaceDetector({.inputSize = {640, 5000}}));
    CHECK_FALSE(makeFaceDetector({.minConfidence = 0.01F}));
    CHECK_FALSE(makeFaceDetector({.minConfidence = 1.5F}));
}

TEST_CASE("a cascade's confidence grows with the windows that agree") {
    CHECK(cascadeConfidence(0) == 0);
    CHECK(cascadeConfidence(3) == doctest::Approx(0.545).epsilon(0.01));
    CHECK(cascadeConfidence(5) < 0.7F);
    CHECK(cascadeConfidence(6) > 0.7F);
    CHECK(cascadeConfidence(1000) < 1);
}

TEST_CASE("the cascade finds a drawn face, and no picture hurts it") {
    const auto detector = detectorOf({});
    findsTheDrawnFace(*detector, 0.5F);
    survivesOddPictures(*detector);
}

TEST_CASE("a known model is used, behind an unknown one too, and finds a drawn face with its landmarks") {
    for (const char* name : {"face_detection_yunet_2023mar.onnx", "yunet_n_640_640.onnx"}) {
        const auto path = sharedModel(name);
        if (path.empty()) continue;
        CAPTURE(name);
        const edgecam::test::TempFolder folder;
        const auto stranger = fileWith(folder, "stranger.onnx", "something");
        const auto chosen = makeFaceDetector({.modelPaths = {stranger, path}});
        REQUIRE(chosen);
        CHECK(chosen->detector->name() == "yunet");
        CHECK(chosen->model.isKnown);
        CHECK(chosen->model.path == path);
        CHECK(says(chosen->model.explanation, stranger));
        findsTheDrawnFace(*chosen->detector, 0.5F);

        const auto faces =
            chosen->detector->detect(test::pictureOf(test::roomWithFace(kRoom, kCentre, kHead)));
        REQUIRE(faces);
        REQUIRE((*faces)[0].landmarks);
        const auto& [rightEye, leftEye, nose, rightMouth, leftMouth] = *(*faces)[0].landmarks;
        const float middle = kCentre.x / static_cast<float>(kRoom.width);
        CHECK(rightEye.x < middle);  // the person's right is left in the picture
        CHECK(leftEye.x > middle);
        CHECK(nose.y > rightEye.y);
        CHECK(rightMouth.y > nose.y);
        CHECK(rightMouth.x < leftMouth.x);
    }
}

TEST_CASE("a model cut short or changed by one byte is not loaded") {
    const auto path = sharedModel("face_detection_yunet_2023mar.onnx");
    if (path.empty()) return;
    std::string whole(static_cast<std::size_t>(fs::file_size(path)), '\0');
    std::ifstream(path, std::ios::binary).read(whole.data(), static_cast<std::streamsize>(whole.size()));
    std::string changed = whole;
    changed[changed.size() / 2] ^= 1;
    const edgecam::test::TempFolder folder;
    for (const std::string& bytes : {whole.substr(0, whole.size() / 2), changed}) {
        const auto chosen = makeFaceDetector({.modelPaths = {fileWith(folder, "model.onnx", bytes)}});
        REQUIRE(chosen);
        CHECK(chosen->detector->name() == "haar cascade");
    }
}

TEST_CASE("no picture hurts the network, and one after another of any size works") {
    const auto path = sharedModel("face_detection_yunet_2023mar.onnx");
    if (path.empty()) return;
    const auto detector = detectorOf({.modelPaths = {path}});
    survivesOddPictures(*detector);
    findsTheDrawnFace(*detector, 0.5F);
}

TEST_CASE("pictures of several shapes by turns are answered as by a detector of their own") {
    const auto path = sharedModel("face_detection_yunet_2023mar.onnx");
    if (path.empty()) return;
    const auto shared = detectorOf({.modelPaths = {path}});
    const std::vector<Size> rooms{{640, 360}, {640, 480}, {360, 640}};
    std::vector<std::vector<Face>> alone;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < rooms.size(); ++i) {
            CAPTURE(i);
            const Picture picture = test::pictureOf(test::roomWithFace(rooms[i], {180, 180}, kHead));
            if (round == 0) {
                const auto own = detectorOf({.modelPaths = {path}})->detect(picture);
                REQUIRE(own);
                alone.push_back(*own);
            }
            const auto faces = shared->detect(picture);
            REQUIRE(faces);
            REQUIRE_FALSE(faces->empty());
            REQUIRE(faces->size() == alone[i].size());
            for (std::size_t k = 0; k < faces->size(); ++k) {
                CHECK((*faces)[k].box == alone[i][k].box);
                CHECK((*faces)[k].confidence == alone[i][k].confidence);
            }
        }
    }
}

TEST_CASE("pictures that are fitted into another size are answered as by a detector made for it") {
    const Picture picture = test::pictureOf(test::roomWithFace(kRoom, kCentre, kHead));
    for (const auto& models :
         {std::vector<std::string>{}, {sharedModel("face_detection_yunet_2023mar.onnx")}}) {
        const auto changing = detectorOf({.modelPaths = models});
        CAPTURE(changing->name());
        for (const Size size : {Size{320, 180}, Size{480, 270}, kRoom}) {
            CAPTURE(size.width);
            changing->fitInto(size);
            const auto faces = changing->detect(picture);
            const auto own = detectorOf({.modelPaths = models, .inputSize = size})->detect(picture);
            REQUIRE(faces);
            REQUIRE(own);
            REQUIRE(faces->size() == 1);
            REQUIRE(own->size() == 1);
            CHECK((*faces)[0].box == (*own)[0].box);
            CHECK((*faces)[0].confidence == (*own)[0].confidence);
        }
    }
}

TEST_CASE("the answer is in fractions of the picture, whatever its shape and the size it is analysed at") {
    const auto path = sharedModel("face_detection_yunet_2023mar.onnx");
    if (path.empty()) return;
    for (const Size input : {Size{640, 360}, Size{320, 180}, Size{500, 501}}) {
        for (const Size room : {Size{1280, 720}, Size{640, 480}, Size{360, 640}}) {
            CAPTURE(input.width);
            CAPTURE(room.width);
            const auto detector =
                detectorOf({.modelPaths = {path}, .inputSize = input, .minConfidence = 0.6F});
            const float head = static_cast<float>(std::min(room.width, room.height)) / 3;
            const cv::Point2f centre(static_cast<float>(room.width) * 0.7F,
                                     static_cast<float>(room.height) * 0.6F);
            const auto faces = detector->detect(test::pictureOf(test::roomWithFace(room, centre, head)));
            REQUIRE(faces);
            REQUIRE(faces->size() == 1);
            const RectNorm truth = normalised(test::drawnFaceBox(centre, head), room);
            CHECK(intersectionOverUnion((*faces)[0].box, truth) > 0.5F);
        }
    }
}
