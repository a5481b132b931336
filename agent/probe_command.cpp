#include <sysexits.h>

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "agent/commands.hpp"
#include "agent/places.hpp"
#include "agent/source_trial.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "capture/device_finder.hpp"
#include "capture/encoder_choice.hpp"
#include "capture/gst.hpp"
#include "capture/v4l2_device.hpp"
#include "vision/face_detector.hpp"

namespace edgecam::agent {
namespace {

/// The agent that asks waits no longer than 8 s for all of it.
constexpr Microseconds kSourceWithin = std::chrono::seconds(5);

/// What a machine has, gathered once and then told to a person or to a program.
struct Findings {
    std::vector<capture::V4l2Device> devices;
    std::string devicesError;
    std::vector<capture::EncoderChoice> encoders;
    std::string detector;  ///< empty: none
    vision::ModelChoice model;
    std::optional<SourceTrial> source;
};

Findings look(const ProbeOptions& options) {
    Findings findings;
    if (auto devices = capture::listDevices()) {
        findings.devices = *std::move(devices);
    } else {
        findings.devicesError = devices.error().message;
    }
    findings.encoders = capture::availableEncoders();
    vision::DetectorSettings settings;
    settings.modelPaths = modelPaths(options.model);
    if (auto chosen = vision::makeFaceDetector(settings)) {
        findings.detector = chosen->detector->name();
        findings.model = chosen->model;
    } else {
        findings.model.explanation = chosen.error().message;
    }
    return findings;
}

void writeSizes(JsonWriter& json, const std::vector<capture::V4l2Size>& sizes) {
    json.key("sizes").beginArray();
    for (const auto& mode : sizes) {
        json.beginObject().field("width", mode.size.width).field("height", mode.size.height);
        json.key("rates").beginArray();
        for (const double rate : mode.rates) json.rounded(rate, 3);
        json.endArray().endObject();
    }
    json.endArray();
}

void writeDevice(JsonWriter& json, const capture::V4l2Device& device, const std::string& source) {
    json.beginObject().field("source", source).field("path", device.path).field("by_id", device.byId);
    json.field("by_path", device.byPath).field("name", device.name);
    json.field("driver", device.driver).field("bus", device.bus).field("serial", device.serial);
    json.key("formats").beginArray();
    for (const auto& format : device.formats) {
        json.beginObject().field("fourcc", format.fourcc).field("description", format.description);
        writeSizes(json, format.sizes);
        json.endObject();
    }
    json.endArray().endObject();
}

void printJson(const Findings& findings) {
    JsonWriter json;
    json.beginObject().key("devices").beginArray();
    for (const auto& device : findings.devices)
        writeDevice(json, device, capture::stableUri(device, findings.devices));
    json.endArray().key("encoders").beginArray();
    for (const auto& encoder : findings.encoders) {
        json.beginObject().field("name", encoder.element).field("hardware", encoder.hardware);
        json.field("available", encoder.usable).field("used", encoder.chosen);
        json.field("reason", encoder.reason).endObject();
    }
    json.endArray().key("detector").beginObject().field("name", findings.detector);
    json.field("model", findings.model.path).field("sha256", findings.model.sha256);
    json.field("explanation", findings.model.explanation).endObject();
    if (findings.source) {
        json.key("source").beginObject();
        findings.source->write(json);
        json.endObject();
    }
    json.endObject();
    std::printf("%s\n", json.take().c_str());
}

std::string ratesOf(const capture::V4l2Size& mode) {
    std::string rates;
    for (const double rate : mode.rates) rates += (rates.empty() ? "" : " ") + concat(rate);
    return rates.empty() ? "any rate" : rates + " fps";
}

void printForPeople(const Findings& findings) {
    std::printf("V4L2 cameras:\n");
    if (!findings.devicesError.empty()) std::printf("  %s\n", findings.devicesError.c_str());
    if (findings.devices.empty()) std::printf("  none\n");
    for (const auto& device : findings.devices) {
        std::printf("  %s  %s (%s, %s)\n", device.path.c_str(), device.name.c_str(), device.driver.c_str(),
                    device.bus.c_str());
        std::printf("    source %s\n", capture::stableUri(device, findings.devices).c_str());
        if (!device.byId.empty()) std::printf("    also %s\n", device.byId.c_str());
        if (!device.byPath.empty()) std::printf("    also %s\n", device.byPath.c_str());
        for (const auto& format : device.formats) {
            std::printf("    %s  %s\n", format.fourcc.c_str(), format.description.c_str());
            for (const auto& mode : format.sizes) {
                std::printf("      %dx%d  %s\n", mode.size.width, mode.size.height, ratesOf(mode).c_str());
            }
        }
    }
    std::printf("H.264 encoders, best first:\n");
    for (const auto& encoder : findings.encoders) {
        const char* mark = encoder.chosen ? "used" : encoder.usable ? "there" : "-";
        std::printf("  %-14s %-6s %s\n", encoder.element.c_str(), mark, encoder.reason.c_str());
    }
    std::printf("Face detector:\n  %s\n", findings.detector.empty() ? "none" : findings.detector.c_str());
    if (!findings.model.path.empty()) {
        std::printf("  model %s\n  SHA-256 %s\n", findings.model.path.c_str(), findings.model.sha256.c_str());
    }
    std::printf("  %s\n", findings.model.explanation.c_str());
    if (findings.source) std::printf("Source:\n  %s\n", findings.source->text().c_str());
}

}  // namespace

int probeCommand(const ProbeOptions& options) {
    startLog(LogLevel::error);
    std::optional<capture::SourceUri> source;
    if (!options.source.empty()) {
        std::string text = options.source;
        if (text == "-") std::getline(std::cin, text);
        auto read = capture::parseSourceUri(text);
        if (!read) {
            std::fprintf(stderr, "edgecam: the source: %s\n", read.error().message.c_str());
            return EX_USAGE;
        }
        source = *std::move(read);
    }
    capture::startGStreamer();
    std::optional<SourceTrial> tried;
    if (source) tried = trySource(*source, kSourceWithin);
    Findings findings = look(options);
    findings.source = std::move(tried);
    options.json ? printJson(findings) : printForPeople(findings);
    return 0;
}

}  // namespace edgecam::agent
