#include "agent/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "agent/process_figures.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::agent;

namespace {

/// Prometheus' text format, version 0.0.4: each family's HELP and TYPE once, before its samples, which are
/// different from each other. Gives the samples' lines.
std::set<std::string> samplesOf(const std::string& page) {
    const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .+)");
    const std::regex sample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_]\w*="([^"\\]|\\["\\n])*",?)+\})? -?[0-9.e+-]+)re");
    const std::regex histogramPart("_(bucket|sum|count)$");
    std::set<std::string> samples;
    std::set<std::string> announced;
    std::set<std::string> ended;
    std::string current;
    std::istringstream lines(page);
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        if (std::regex_match(line, match, comment)) {
            CHECK(announced.insert(match.str(1) + " " + match.str(2)).second);
            continue;
        }
        REQUIRE(std::regex_match(line, match, sample));
        const std::string name = std::regex_replace(match.str(1), histogramPart, "");
        CHECK(announced.contains("HELP " + name));
        CHECK(announced.contains("TYPE " + name));
        if (name != current) {
            CHECK_FALSE(ended.contains(name));
            ended.insert(current);
            current = name;
        }
        CHECK(samples.insert(line).second);
    }
    return samples;
}

/// Two cameras, a hub that is away, and a viewer.
struct Scene {
    uplink::AgentView view;
    std::vector<ServiceSnapshot> services;

    Scene() {
        view.agentId = "box-7";
        uplink::AgentFigures figures;
        for (const char* cameraId : {"cam_123", "door"}) {
            view.cameras[cameraId] = {.cameraId = cameraId, .state = CameraState::live, .restarts = 2};
            figures.cameras[cameraId] = {
                .pictures = 1000, .encoderDrops = 3, .analysed = 10, .lastAnalysis = 31ms};
        }
        figures.cameras["cam_123"].passthroughDelays.coded.add(2ms);
        figures.cameras["cam_123"].passthroughDelays.coded.add(100s);
        figures.cameras["cam_123"].passthroughDelays.muxed.add(40us);
        view.cameras["door"].state = CameraState::reconnecting;
        figures.plans["metered"] = {.monthlyBytes = 100'000'000,
                                    .usedBytes = 105'250'400,
                                    .state = uplink::PlanState::keyFrames,
                                    .until = {}};
        figures.process = {.residentBytes = 1 << 20, .cpuSeconds = 2.5, .threads = 9};
        view.figures = std::make_shared<const uplink::AgentFigures>(figures);
        uplink::UplinkStatus hub;
        hub.name = R"(the "far" hub)";
        hub.state = uplink::UplinkState::backingOff;
        hub.attempts = 12;
        view.uplinks[hub.name] = hub;

        uplink::ServiceFigures viewers;
        viewers.peers[uplink::Role::viewer] = 4;
        viewers.traffic.bytesOut = 123456;
        viewers.errors[uplink::ErrorCode::forbidden] = 2;
        viewers.lanes[static_cast<std::size_t>(uplink::Lane::video)].dropped = 7;
        viewers.video.queue.add(300us);
        viewers.video.socket.add(30ms);
        services.push_back(
            {.uplink = "", .figures = std::make_shared<const uplink::ServiceFigures>(viewers)});
        uplink::ServiceFigures away;
        away.errors[uplink::ErrorCode::forbidden] = 1;
        away.eventAcks.add(2h);
        away.mediaAcks.add(30ms);
        away.lanes[static_cast<std::size_t>(uplink::Lane::events)] = {.depth = 5, .bytes = 800, .dropped = 1};
        away.link = uplink::LinkFigures{.targetKbps = 900,
                                        .state = uplink::RateState::probe,
                                        .isLimit = true,
                                        .carriedKbps = 1000,
                                        .delay = std::chrono::milliseconds(120),
                                        .roundTrip = std::chrono::milliseconds(40)};
        services.push_back({.uplink = hub.name,
                            .figures = std::make_shared<const uplink::ServiceFigures>(away),
                            .droppedFaceItems = 6,
                            .oldestWait = 1500ms});
    }
    [[nodiscard]] std::set<std::string> samples(const Metrics& metrics,
                                                const uplink::Grant& grant = {}) const {
        return samplesOf(metrics.page(view, services, grant, view.startedAt + 90s));
    }
};

}  // namespace

TEST_CASE("the page says what stands, in the words of convention and base units") {
    const Metrics metrics("1.2.3", {"cam_123", "door"});
    const auto samples = Scene().samples(metrics);
    for (const char* line : {
             R"(edgecam_build_info{version="1.2.3"} 1)",
             R"(edgecam_uptime_seconds 90)",
             R"(edgecam_camera_up{camera="cam_123"} 1)",
             R"(edgecam_camera_up{camera="door"} 0)",
             R"(edgecam_camera_state{camera="door",state="reconnecting"} 1)",
             R"(edgecam_camera_state{camera="door",state="live"} 0)",
             R"(edgecam_camera_restarts_total{camera="door"} 2)",
             R"(edgecam_camera_encoder_dropped_total{camera="cam_123"} 3)",
             R"(edgecam_vision_last_analysis_seconds{camera="cam_123"} 0.031)",
             R"(edgecam_coded_delay_seconds_bucket{camera="cam_123",rendition="passthrough",le="0.001"} 0)",
             R"(edgecam_coded_delay_seconds_bucket{camera="cam_123",rendition="passthrough",le="0.0025"} 1)",
             R"(edgecam_coded_delay_seconds_bucket{camera="cam_123",rendition="passthrough",le="60"} 1)",
             R"(edgecam_coded_delay_seconds_bucket{camera="cam_123",rendition="passthrough",le="+Inf"} 2)",
             R"(edgecam_coded_delay_seconds_count{camera="cam_123",rendition="passthrough"} 2)",
             R"(edgecam_coded_delay_seconds_sum{camera="cam_123",rendition="passthrough"} 100.002)",
             R"(edgecam_mux_delay_seconds_count{camera="cam_123",rendition="passthrough"} 1)",
             R"(edgecam_uplink_state{uplink="the \"far\" hub",state="backing_off"} 1)",
             R"(edgecam_uplink_connection_attempts_total{uplink="the \"far\" hub"} 12)",
             R"(edgecam_uplink_lane_messages{uplink="the \"far\" hub",lane="events"} 5)",
             R"(edgecam_uplink_lane_bytes{uplink="the \"far\" hub",lane="events"} 800)",
             R"(edgecam_uplink_lane_dropped_total{uplink="the \"far\" hub",lane="events"} 1)",
             R"(edgecam_viewers{role="viewer"} 4)",
             R"(edgecam_viewers{role="admin"} 0)",
             R"(edgecam_viewer_sent_bytes_total 123456)",
             R"(edgecam_uplink_target_bitrate_bits_per_second{uplink="the \"far\" hub"} 900000)",
             R"(edgecam_uplink_carried_bits_per_second{uplink="the \"far\" hub"} 1000000)",
             R"(edgecam_uplink_limited{uplink="the \"far\" hub"} 1)",
             R"(edgecam_uplink_video_delay_seconds{uplink="the \"far\" hub"} 0.12)",
             R"(edgecam_uplink_round_trip_seconds{uplink="the \"far\" hub"} 0.04)",
             R"(edgecam_uplink_rate_state{uplink="the \"far\" hub",state="probe"} 1)",
             R"(edgecam_viewer_dropped_total{lane="video"} 7)",
             R"(edgecam_queue_delay_seconds_bucket{service="viewers",lane="video",le="0.0005"} 1)",
             R"(edgecam_queue_delay_seconds_count{service="the \"far\" hub",lane="video"} 0)",
             R"(edgecam_socket_delay_seconds_sum{service="viewers",lane="video"} 0.03)",
             R"(edgecam_event_ack_delay_seconds_bucket{uplink="the \"far\" hub",le="60"} 0)",
             R"(edgecam_event_ack_delay_seconds_sum{uplink="the \"far\" hub"} 7200)",
             R"(edgecam_uplink_month_bytes{uplink="metered"} 105250400)",
             R"(edgecam_uplink_plan_bytes{uplink="metered"} 100000000)",
             R"(edgecam_uplink_plan_state{uplink="metered",state="within"} 0)",
             R"(edgecam_uplink_plan_state{uplink="metered",state="key_frames"} 1)",
             R"(edgecam_media_ack_delay_seconds_bucket{uplink="the \"far\" hub",le="0.05"} 1)",
             R"(edgecam_errors_total{code="forbidden"} 3)",
             R"(edgecam_service_dropped_total{service="the \"far\" hub",reason="faces"} 6)",
             R"(edgecam_service_oldest_wait_seconds{service="the \"far\" hub"} 1.5)",
             R"(process_resident_memory_bytes 1048576)",
             R"(process_cpu_seconds_total 2.5)",
             R"(edgecam_process_threads 9)",
         }) {
        CAPTURE(line);
        CHECK(samples.contains(line));
    }
}

TEST_CASE("events and commands are counted as they happen, events from 0 on") {
    Metrics metrics("1.2.3", {"cam_123", "door"});
    CHECK(Scene().samples(metrics).contains(R"(edgecam_face_events_total{camera="door",phase="leave"} 0)"));
    FaceEvent event;
    event.cameraId = "door";
    event.phase = FacePhase::leave;
    metrics.count(event);
    metrics.count(event);
    CHECK(metrics.eventsOf("door") == std::array<std::uint64_t, 3>{0, 0, 2});
    uplink::Command command;
    command.action = uplink::EnableCamera{false};
    metrics.count(command, uplink::Done{});
    command.action = uplink::StartStream{};
    metrics.count(command, uplink::Refusal{uplink::ErrorCode::expired, "too old", ""});
    const auto samples = Scene().samples(metrics);
    CHECK(samples.contains(R"(edgecam_face_events_total{camera="door",phase="leave"} 2)"));
    const auto has = [&](const char* type, const char* result) {
        const std::string labels[] = {std::string("type=\"") + type + "\"",
                                      std::string("result=\"") + result + "\""};
        return std::ranges::any_of(samples, [&](const std::string& line) {
            return line.starts_with("edgecam_commands_total{") && line.ends_with(" 1") &&
                   line.find(labels[0]) != std::string::npos && line.find(labels[1]) != std::string::npos;
        });
    };
    CHECK(has("disable", "ok"));
    CHECK(has("start", "expired"));
}

TEST_CASE("who is turned away is counted by a reason of a fixed set, from 0 on") {
    Metrics metrics("1.2.3", {});
    CHECK(Scene().samples(metrics).contains(R"(edgecam_refused_total{reason="token_rate"} 0)"));
    metrics.count(uplink::Denial::tokenRate);
    metrics.count(uplink::Denial::foreignOrigin);
    metrics.count(uplink::Denial::tokenRate);
    const auto samples = Scene().samples(metrics);
    CHECK(samples.contains(R"(edgecam_refused_total{reason="token_rate"} 2)"));
    CHECK(samples.contains(R"(edgecam_refused_total{reason="origin"} 1)"));
    CHECK(std::ranges::count_if(samples, [](const std::string& line) {
              return line.starts_with("edgecam_refused_total{");
          }) == uplink::kDenialCount);
}

TEST_CASE("a grant for one camera sees no other") {
    const Metrics metrics("1.2.3", {"cam_123", "door"});
    const auto samples = Scene().samples(metrics, {uplink::Role::viewer, {"door"}});
    CHECK(samples.contains(R"(edgecam_camera_up{camera="door"} 0)"));
    CHECK(samples.contains(R"(edgecam_uptime_seconds 90)"));
    for (const std::string& line : samples) CHECK(line.find("cam_123") == std::string::npos);
}

TEST_CASE("what was not counted yet is not on the page") {
    const Metrics metrics("1.2.3", {});
    Scene scene;
    scene.view.figures.reset();
    scene.view.uplinks.clear();
    scene.services.resize(1);
    for (const std::string& line : scene.samples(metrics)) {
        CHECK_FALSE(line.starts_with("process_"));
        CHECK_FALSE(line.starts_with("edgecam_uplink"));
        CHECK_FALSE(line.starts_with("edgecam_camera_pictures"));
    }
}

TEST_CASE("the kernel tells what this process takes") {
    const auto figures = processFigures();
    CHECK(figures.residentBytes > figures.anonymousBytes);
    CHECK(figures.anonymousBytes > 100'000);
    CHECK(figures.threads >= 1);
    CHECK(figures.descriptors >= 3);
    CHECK(figures.cpuSeconds > 0);
}
