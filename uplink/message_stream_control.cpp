#include "uplink/message_stream_control.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace edgecam::uplink {
namespace {

constexpr std::size_t kMaxCameras = 256;  ///< in one request
constexpr std::array<std::string_view, 4> kPresets{"low", "medium", "high", "auto"};

bool isPreset(std::string_view mode) {
    return std::ranges::find(kPresets, mode) != kPresets.end();
}

std::optional<StreamForm> readForm(FieldReader& fields) {
    const auto word = fields.text("format", 16);
    if (!word) return std::nullopt;
    if (*word == "cmaf") return StreamForm::cmaf;
    if (*word == "jpeg") return StreamForm::jpeg;
    fields.refuse("format", "must be \"cmaf\" or \"jpeg\"");
    return std::nullopt;
}

std::optional<int> readInt(FieldReader& fields, const char* name, std::int64_t low, std::int64_t high) {
    const auto value = fields.integer(name, low, high);
    if (!value) return std::nullopt;
    return static_cast<int>(*value);
}

void readNumbers(FieldReader& fields, SetQuality& quality) {
    constexpr std::int64_t kMinKbps = 50;
    constexpr std::int64_t kMaxKbps = 50'000;
    quality.bitrateKbps = readInt(fields, "bitrate_kbps", kMinKbps, kMaxKbps);
    quality.minBitrateKbps = readInt(fields, "min_bitrate_kbps", kMinKbps, kMaxKbps);
    quality.maxBitrateKbps = readInt(fields, "max_bitrate_kbps", kMinKbps, kMaxKbps);
    quality.width = readInt(fields, "width", 64, 7680);
    quality.height = readInt(fields, "height", 64, 4320);
    quality.frameRate = fields.number("framerate", 1, 120);
    if (quality.minBitrateKbps && quality.maxBitrateKbps &&
        *quality.minBitrateKbps > *quality.maxBitrateKbps) {
        fields.refuse("min_bitrate_kbps", "must not exceed max_bitrate_kbps");
    }
}

bool hasNumbers(const SetQuality& quality) {
    return quality.bitrateKbps || quality.minBitrateKbps || quality.maxBitrateKbps || quality.width ||
           quality.height || quality.frameRate;
}

/// The object form: {mode, bitrate_kbps, ...}.
void readWish(FieldReader& outer, const JsonValue& object, SetQuality& quality) {
    FieldReader fields(object);
    readNumbers(fields, quality);
    quality.mode = fields.text("mode", 16).value_or(hasNumbers(quality) ? "custom" : "auto");
    if (!isPreset(quality.mode) && quality.mode != "custom") {
        fields.refuse("mode", "must be \"low\", \"medium\", \"high\", \"auto\" or \"custom\"");
    }
    if (!fields.ok()) {
        const std::string path = "quality." + fields.badField();
        outer.refuse(path.c_str(),
                     std::string_view(fields.error().message).substr(fields.badField().size() + 1));
    }
}

CameraAction readQuality(FieldReader& fields) {
    SetQuality quality;
    fields.require("quality");
    const JsonValue* wish = fields.any("quality");
    if (wish != nullptr && wish->IsObject()) {
        readWish(fields, *wish, quality);
    } else if (const auto preset = fields.text("quality", 16)) {
        quality.mode = *preset;
        if (!isPreset(*preset)) {
            fields.refuse("quality", "must be \"low\", \"medium\", \"high\", \"auto\" or an object");
        }
    }
    const std::string scope = fields.text("scope", 16).value_or("connection");
    if (scope != "connection" && scope != "camera") {
        fields.refuse("scope", "must be \"connection\" or \"camera\"");
    }
    quality.forCamera = scope == "camera";
    return quality;
}

CameraAction readStart(FieldReader& fields) {
    StartStream start;
    start.form = readForm(fields).value_or(StreamForm::cmaf);
    start.codecs = fields.texts("codecs", 16, 64).value_or(std::vector<std::string>{});
    return start;
}

void readCameras(FieldReader& fields, StreamControlRequest& request) {
    fields.require("camera_id");
    const JsonValue* given = fields.any("camera_id");
    if (given == nullptr) return;
    request.many = given->IsArray();
    if (given->IsArray()) {
        request.cameraIds = fields.texts("camera_id", kMaxCameras, 64).value_or(std::vector<std::string>{});
        std::ranges::sort(request.cameraIds);
        // Not std::ranges::unique: Clang 14 cannot read libstdc++'s subrange.
        const auto twins = std::unique(request.cameraIds.begin(), request.cameraIds.end());
        request.cameraIds.erase(twins, request.cameraIds.end());
    } else if (const auto one = fields.text("camera_id", 64)) {
        request.all = request.many = *one == "*";
        if (!request.all) request.cameraIds.push_back(*one);
    }
    if (!std::ranges::all_of(request.cameraIds, isCameraId)) {
        fields.refuse("camera_id", "must match [A-Za-z0-9_-]{1,64}, or be \"*\" or an array");
    }
}

/// A wish for quality that is more than one of the preset words.
bool isFreeTuning(const CameraAction& action) {
    const auto* quality = std::get_if<SetQuality>(&action);
    return quality != nullptr && (!isPreset(quality->mode) || hasNumbers(*quality) || quality->forCamera);
}

/// The actions and what each is at least. Without a reader: not in this version.
struct ActionReader {
    const char* action;
    Deed deed;  ///< at least; see isFreeTuning()
    CameraAction (*read)(FieldReader& fields);
};
constexpr std::array kActions{
    ActionReader{"start", Deed::watch, readStart},
    ActionReader{"stop", Deed::watch,
                 [](FieldReader& fields) { return CameraAction(StopStream{readForm(fields)}); }},
    ActionReader{"quality", Deed::choosePreset, readQuality},
    ActionReader{"keyframe", Deed::watch, [](FieldReader&) { return CameraAction(ForceKeyFrame{}); }},
    ActionReader{"snapshot", Deed::watch, [](FieldReader&) { return CameraAction(TakeSnapshot{}); }},
    ActionReader{"enable", Deed::switchCamera, [](FieldReader&) { return CameraAction(EnableCamera{true}); }},
    ActionReader{"disable", Deed::switchCamera,
                 [](FieldReader&) { return CameraAction(EnableCamera{false}); }},
    ActionReader{"clip", Deed::watch, nullptr},
};

}  // namespace

std::variant<RequestBody, Refusal> readStreamControl(const JsonValue& message) {
    FieldReader fields(message);
    StreamControlRequest request;
    fields.require("action");
    const std::string action = fields.text("action", 32).value_or("");
    const auto* reader = std::ranges::find(kActions, action, &ActionReader::action);
    if (fields.ok() && reader == kActions.end()) {
        return Refusal{ErrorCode::unsupported, "unknown action", "action"};
    }
    if (reader != kActions.end() && reader->read == nullptr)
        return UnservedRequest{"stream_control " + action};
    readCameras(fields, request);
    if (reader != kActions.end()) {
        request.action = reader->read(fields);
        request.deed = isFreeTuning(request.action) ? Deed::tuneFreely : reader->deed;
    }
    if (!fields.ok()) return Refusal{ErrorCode::badRequest, fields.error().message, fields.badField()};
    return request;
}

std::vector<std::pair<const char*, Deed>> controlActions() {
    std::vector<std::pair<const char*, Deed>> actions;
    for (const ActionReader& each : kActions) actions.emplace_back(each.action, each.deed);
    return actions;
}

}  // namespace edgecam::uplink
