#include "agent/metrics.hpp"

#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

#include "agent/metric_families.hpp"

namespace edgecam::agent {
namespace {

constexpr std::array kPhases{FacePhase::enter, FacePhase::update, FacePhase::leave};

const char* nameOf(const uplink::CameraAction& action) {
    if (std::holds_alternative<uplink::StartStream>(action)) return "start";
    if (std::holds_alternative<uplink::StopStream>(action)) return "stop";
    if (std::holds_alternative<uplink::SetQuality>(action)) return "quality";
    if (std::holds_alternative<uplink::ForceKeyFrame>(action)) return "keyframe";
    if (std::holds_alternative<uplink::TakeSnapshot>(action)) return "snapshot";
    if (std::holds_alternative<uplink::RotateToken>(action)) return "rotate_token";
    if (std::holds_alternative<uplink::AskConfig>(action)) return "config";
    if (std::holds_alternative<uplink::AskProbe>(action)) return "probe";
    if (std::holds_alternative<uplink::AskDiagnostics>(action)) return "diagnostics";
    if (std::holds_alternative<uplink::FollowLink>(action)) return "follow_link";
    if (std::holds_alternative<uplink::FollowPlan>(action)) return "follow_plan";
    const auto* enable = std::get_if<uplink::EnableCamera>(&action);
    return enable == nullptr ? "other" : enable->enabled ? "enable" : "disable";
}

bool isOfForeignCamera(const prometheus::ClientMetric& metric, const uplink::Grant& grant) {
    return std::ranges::any_of(metric.label, [&](const auto& label) {
        return label.name == "camera" && !grant.covers(label.value);
    });
}

}  // namespace

Metrics::Metrics(const std::string& version, const std::vector<std::string>& cameraIds)
    : events_(prometheus::BuildCounter()
                  .Name("edgecam_face_events_total")
                  .Help("Face events, by camera and phase of the track.")
                  .Register(registry_)),
      commands_(prometheus::BuildCounter()
                    .Name("edgecam_commands_total")
                    .Help("Commands of peers that the agent took up, by type and result.")
                    .Register(registry_)),
      refused_(prometheus::BuildCounter()
                   .Name("edgecam_refused_total")
                   .Help("Connections, requests and sockets that the local server turned away, by reason.")
                   .Register(registry_)) {
    prometheus::BuildGauge()
        .Name("edgecam_build_info")
        .Help("1; the label tells the version.")
        .Register(registry_)
        .Add({{"version", version}})
        .Set(1);
    for (const std::string& cameraId : cameraIds) begin(cameraId);
    for (const uplink::Denial denial : uplink::allDenials())
        refused_.Add({{"reason", uplink::nameOf(denial)}});
}

void Metrics::begin(const std::string& cameraId) {
    for (const FacePhase phase : kPhases) eventCounter(cameraId, phase);
}

void Metrics::end(const std::string& cameraId) {
    for (const FacePhase phase : kPhases) events_.Remove(&eventCounter(cameraId, phase));
}

prometheus::Counter& Metrics::eventCounter(const std::string& cameraId, FacePhase phase) {
    return events_.Add({{"camera", cameraId}, {"phase", edgecam::nameOf(phase)}});
}

void Metrics::count(const FaceEvent& event) {
    eventCounter(event.cameraId, event.phase).Increment();
}

void Metrics::count(const uplink::Command& command, const uplink::Outcome& outcome) {
    const auto* refusal = std::get_if<uplink::Refusal>(&outcome);
    const char* result = refusal == nullptr ? "ok" : uplink::nameOf(refusal->code);
    commands_.Add({{"type", nameOf(command.action)}, {"result", result}}).Increment();
}

void Metrics::count(uplink::Denial denial) {
    refused_.Add({{"reason", uplink::nameOf(denial)}}).Increment();
}

std::array<std::uint64_t, 3> Metrics::eventsOf(const std::string& cameraId) {
    std::array<std::uint64_t, 3> counts{};
    for (const FacePhase phase : kPhases) {
        const double value = eventCounter(cameraId, phase).Value();
        counts[static_cast<std::size_t>(phase)] = static_cast<std::uint64_t>(value);
    }
    return counts;
}

std::string Metrics::page(const uplink::AgentView& agent, const std::vector<ServiceSnapshot>& services,
                          const uplink::Grant& grant, Monotonic now) const {
    auto families = registry_.Collect();
    const auto take = [&](std::vector<prometheus::MetricFamily> more) {
        families.insert(families.end(), std::make_move_iterator(more.begin()),
                        std::make_move_iterator(more.end()));
    };
    take(agentFamilies(agent, now));
    take(cameraFamilies(agent));
    take(uplinkFamilies(agent, services));
    take(viewerFamilies(services));
    take(serviceFamilies(services));
    if (agent.figures) take(processFamilies(agent.figures->process));
    if (agent.figures && agent.figures->journal) take(journalFamilies(*agent.figures->journal));
    for (prometheus::MetricFamily& family : families) {
        std::erase_if(family.metric, [&](const auto& metric) { return isOfForeignCamera(metric, grant); });
    }
    std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace edgecam::agent
