#include <sysexits.h>

#include <cstdio>

#include "agent/commands.hpp"
#include "agent/places.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "capture/gst.hpp"
#include "capture/still_image.hpp"
#include "vision/face_detector.hpp"

namespace edgecam::agent {
namespace {

void writeFace(JsonWriter& json, const Face& face, Size picture) {
    const RectPx box = inPixels(face.box, picture);
    json.beginObject().key("box").beginArray();
    for (const float side : {box.x, box.y, box.width, box.height}) json.rounded(side, 1);
    json.endArray().key("confidence").rounded(face.confidence, 4).key("landmarks");
    if (face.landmarks) {
        json.beginArray();
        for (const PointNorm point : *face.landmarks) {
            json.beginArray().rounded(point.x * static_cast<float>(picture.width), 1);
            json.rounded(point.y * static_cast<float>(picture.height), 1).endArray();
        }
        json.endArray();
    } else {
        json.null();
    }
    json.endObject();
}

std::string lineFor(const std::string& path, Size size, const std::vector<Face>& faces) {
    JsonWriter json;
    json.beginObject().field("image", path).field("width", size.width).field("height", size.height);
    json.key("faces").beginArray();
    for (const Face& face : faces) writeFace(json, face, size);
    json.endArray().endObject();
    return json.take();
}

Result<void> drawTo(const std::string& path, const Picture& picture, const std::vector<Face>& faces) {
    std::vector<RectNorm> boxes;
    for (const Face& face : faces) boxes.push_back(face.box);
    auto jpeg = capture::encodeJpeg(capture::withBoxes(picture, boxes), 90);
    if (!jpeg) return jpeg.error();
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return Error{"cannot be written"};
    const bool written = std::fwrite(jpeg->data(), 1, jpeg->size(), file) == jpeg->size();
    if (std::fclose(file) != 0 || !written) return Error{"cannot be written"};
    return {};
}

Result<void> detectIn(const std::string& path, vision::FaceDetector& detector, const std::string& draw) {
    const auto picture = capture::readPicture(path);
    if (!picture) return picture.error();
    const auto faces = detector.detect(*picture);
    if (!faces) return faces.error();
    std::printf("%s\n", lineFor(path, picture->size, *faces).c_str());
    if (draw.empty()) return {};
    if (auto drawn = drawTo(draw, *picture, *faces); !drawn) return drawn.error().within(draw);
    return {};
}

}  // namespace

int detectCommand(const DetectOptions& options) {
    startLog(LogLevel::warning);
    if (!options.draw.empty() && options.pictures.size() != 1) {
        std::fprintf(stderr, "edgecam detect: --draw takes exactly one picture\n");
        return EX_USAGE;
    }
    capture::startGStreamer();
    vision::DetectorSettings settings;
    settings.modelPaths = modelPaths(options.model);
    settings.minConfidence = options.minConfidence;
    settings.inputSize = options.inputSize;
    auto chosen = vision::makeFaceDetector(settings);
    if (!chosen) {
        std::fprintf(stderr, "edgecam detect: %s\n", chosen.error().message.c_str());
        return EX_UNAVAILABLE;
    }
    if (chosen->detector->name() != "yunet") {
        std::fprintf(stderr, "edgecam detect: %s\n", chosen->model.explanation.c_str());
    }
    int status = EX_OK;
    for (const std::string& path : options.pictures) {
        if (auto done = detectIn(path, *chosen->detector, options.draw); !done) {
            std::fprintf(stderr, "edgecam detect: %s: %s\n", path.c_str(), done.error().message.c_str());
            status = EX_DATAERR;
        }
    }
    return status;
}

}  // namespace edgecam::agent
