#include "agent/metric_families.hpp"

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace edgecam::agent {
namespace {

using prometheus::MetricType;
using Labels = std::vector<prometheus::ClientMetric::Label>;

constexpr const char* kViewers = "viewers";  ///< the local server, among the services

/// A family that is filled sample by sample.
class Family {
  public:
    Family(MetricFamilies& families, MetricType type, std::string name, std::string help)
        : families_(families), index_(families.size()) {
        families.push_back({.name = std::move(name), .help = std::move(help), .type = type, .metric = {}});
    }
    void add(Labels labels, double value) {
        prometheus::ClientMetric sample;
        sample.label = std::move(labels);
        sample.gauge.value = sample.counter.value = value;
        families_[index_].metric.push_back(std::move(sample));
    }
    void add(Labels labels, std::uint64_t value) { add(std::move(labels), static_cast<double>(value)); }
    /// Of a histogram, which counts each bound's with all below it.
    template <class Bounds>
    void add(Labels labels, const Durations<Bounds>& delays) {
        prometheus::ClientMetric sample;
        sample.label = std::move(labels);
        prometheus::ClientMetric::Histogram& histogram = sample.histogram;
        for (std::size_t i = 0; i < delays.counts.size(); ++i) {
            histogram.sample_count += delays.counts[i];
            const bool last = i == Bounds::kBounds.size();
            histogram.bucket.push_back({.cumulative_count = histogram.sample_count,
                                        .upper_bound = last ? std::numeric_limits<double>::infinity()
                                                            : secondsOf(Bounds::kBounds[i])});
        }
        histogram.sample_sum = secondsOf(delays.sum);
        families_[index_].metric.push_back(std::move(sample));
    }

  private:
    MetricFamilies& families_;
    std::size_t index_;
};

const char* serviceName(const ServiceSnapshot& service) {
    return service.uplink.empty() ? kViewers : service.uplink.c_str();
}

struct CameraCounter {
    const char* name;
    const char* help;
    std::uint64_t uplink::CameraFigures::*value;
};
constexpr std::array kCameraCounters{
    CameraCounter{"edgecam_camera_pictures_total", "Pictures that came from the camera.",
                  &uplink::CameraFigures::pictures},
    CameraCounter{"edgecam_camera_decoder_dropped_total", "Pictures the decoder had no time for.",
                  &uplink::CameraFigures::decoderDrops},
    CameraCounter{"edgecam_camera_encoder_dropped_total", "Pictures the encoders had no time for.",
                  &uplink::CameraFigures::encoderDrops},
    CameraCounter{"edgecam_camera_decoder_failures_total", "Times the decoder failed and was made anew.",
                  &uplink::CameraFigures::decoderFailures},
    CameraCounter{"edgecam_camera_encoder_failures_total", "Times an encoder failed and was made anew.",
                  &uplink::CameraFigures::encoderFailures},
    CameraCounter{"edgecam_vision_analysed_total", "Pictures looked through for faces.",
                  &uplink::CameraFigures::analysed},
    CameraCounter{"edgecam_vision_skipped_total", "Pictures replaced by a newer one before anybody looked.",
                  &uplink::CameraFigures::skipped},
    CameraCounter{"edgecam_vision_still_total",
                  "Pictures not looked through, since nobody was followed and nothing had changed.",
                  &uplink::CameraFigures::still},
    CameraCounter{"edgecam_vision_failures_total", "Pictures the detector failed on.",
                  &uplink::CameraFigures::failed},
};

struct Rendition {
    const char* name;
    PictureDelays uplink::CameraFigures::*delays;
};
constexpr std::array kRenditions{
    Rendition{"passthrough", &uplink::CameraFigures::passthroughDelays},
    Rendition{"sub", &uplink::CameraFigures::subDelays},
    Rendition{"encoded", &uplink::CameraFigures::encodedDelays},
    Rendition{"jpeg", &uplink::CameraFigures::jpegDelays},
};

/// Of the renditions that there ever were: most cameras have one.
void addPictureDelays(MetricFamilies& families, const uplink::AgentFigures& agent) {
    const auto addAll = [&](const char* name, const char* help, Delays PictureDelays::*stage) {
        Family family(families, MetricType::Histogram, name, help);
        for (const auto& [id, figures] : agent.cameras) {
            for (const Rendition& rendition : kRenditions) {
                const Delays& delays = figures.*rendition.delays.*stage;
                if (delays.count() == 0) continue;
                family.add({{"camera", id}, {"rendition", rendition.name}}, delays);
            }
        }
    };
    addAll("edgecam_coded_delay_seconds",
           "From a picture's capture until it was there coded: out of the encoder, or from the camera.",
           &PictureDelays::coded);
    addAll("edgecam_mux_delay_seconds", "From then until its chunk was made.", &PictureDelays::muxed);
}

void addTraffic(MetricFamilies& families, const std::string& prefix,
                const std::vector<std::pair<Labels, uplink::Traffic>>& each) {
    struct Direction {
        const char* name;
        const char* help;
        std::uint64_t uplink::Traffic::*value;
    };
    constexpr std::array kDirections{
        Direction{"_received_bytes_total", "Payload bytes of WebSocket messages that came in.",
                  &uplink::Traffic::bytesIn},
        Direction{"_sent_bytes_total", "Payload bytes of WebSocket messages that went out.",
                  &uplink::Traffic::bytesOut},
        Direction{"_received_messages_total", "WebSocket messages that came in.",
                  &uplink::Traffic::messagesIn},
        Direction{"_sent_messages_total", "WebSocket messages that went out.", &uplink::Traffic::messagesOut},
    };
    for (const auto& [name, help, value] : kDirections) {
        Family family(families, MetricType::Counter, (prefix + name).c_str(), help);
        for (const auto& [labels, traffic] : each) family.add(labels, traffic.*value);
    }
}

void addUplinkLanes(MetricFamilies& families, const std::vector<ServiceSnapshot>& services) {
    const auto addAll = [&](MetricType type, const char* name, const char* help, const auto& valueOf) {
        Family family(families, type, name, help);
        for (const ServiceSnapshot& service : services) {
            if (service.uplink.empty()) continue;
            for (std::size_t lane = 0; lane < service.figures->lanes.size(); ++lane) {
                const Labels labels{{"uplink", service.uplink}, {"lane", uplink::laneName(lane)}};
                family.add(labels, static_cast<double>(valueOf(service.figures->lanes[lane])));
            }
        }
    };
    addAll(MetricType::Gauge, "edgecam_uplink_lane_messages", "Messages, of video access units, that wait.",
           [](const auto& lane) { return lane.depth; });
    addAll(MetricType::Gauge, "edgecam_uplink_lane_bytes", "Bytes that wait.",
           [](const auto& lane) { return lane.bytes; });
    addAll(MetricType::Gauge, "edgecam_uplink_lane_age_seconds", "How long the oldest of them waits.",
           [](const auto& lane) { return secondsOf(lane.age); });
    addAll(MetricType::Counter, "edgecam_uplink_lane_dropped_total",
           "Messages, of video access units, that were given up because the hub took too little.",
           [](const auto& lane) { return lane.dropped; });
}

void addUplinkLinks(MetricFamilies& families, const std::vector<ServiceSnapshot>& services) {
    const auto addAll = [&](const char* name, const char* help, const auto& valueOf) {
        Family family(families, MetricType::Gauge, name, help);
        for (const ServiceSnapshot& service : services) {
            const auto& link = service.figures->link;
            if (service.uplink.empty() || !link) continue;
            family.add({{"uplink", service.uplink}}, static_cast<double>(valueOf(*link)));
        }
    };
    addAll("edgecam_uplink_target_bitrate_bits_per_second", "What the encoders are to give at most, in all.",
           [](const auto& link) { return 1000.0 * link.targetKbps; });
    addAll("edgecam_uplink_carried_bits_per_second", "What the link was seen to carry lately.",
           [](const auto& link) { return 1000.0 * link.carriedKbps; });
    addAll("edgecam_uplink_limited", "Whether the link was seen to carry less than it was given.",
           [](const auto& link) { return link.isLimit ? 1 : 0; });
    addAll("edgecam_uplink_video_delay_seconds", "What would wait of a picture captured now.",
           [](const auto& link) { return secondsOf(link.delay); });
    addAll("edgecam_uplink_round_trip_seconds", "The way to the hub and back, without queueing.",
           [](const auto& link) { return secondsOf(link.roundTrip); });
    addAll("edgecam_uplink_receiver_limited_ratio", "Share of the time in which the hub took too little.",
           [](const auto& link) { return link.receiverLimited; });
    Family state(families, MetricType::Gauge, "edgecam_uplink_rate_state",
                 "1 for what the rate controller does now.");
    for (const ServiceSnapshot& service : services) {
        const auto& link = service.figures->link;
        if (service.uplink.empty() || !link) continue;
        state.add({{"uplink", service.uplink}, {"state", nameOf(link->state)}}, 1.0);
    }
}

void addPlans(MetricFamilies& families, const uplink::AgentFigures& agent) {
    using uplink::PlanState;
    const auto add = [&](const char* name, const char* help, const auto& valueOf) {
        Family family(families, MetricType::Gauge, name, help);
        for (const auto& [uplink, plan] : agent.plans) family.add({{"uplink", uplink}}, valueOf(plan));
    };
    add("edgecam_uplink_month_bytes", "Used of a metered link's plan in this month, both ways.",
        [](const auto& plan) { return plan.usedBytes; });
    add("edgecam_uplink_plan_bytes", "What that plan holds.",
        [](const auto& plan) { return plan.monthlyBytes; });
    Family state(families, MetricType::Gauge, "edgecam_uplink_plan_state",
                 "1 for what the plan allows now: within it, key frames or events only.");
    for (const auto& [uplink, plan] : agent.plans) {
        for (const PlanState each : {PlanState::within, PlanState::keyFrames, PlanState::eventsOnly}) {
            state.add({{"uplink", uplink}, {"state", nameOf(each)}}, plan.state == each ? 1.0 : 0.0);
        }
    }
}

/// Of whole views, or by zone.
void addFaces(MetricFamilies& families,
              const std::vector<std::pair<Labels, const uplink::FaceFigures*>>& places,
              const std::string& prefix, const std::string& where) {
    const auto name = [&](const char* what) { return prefix + what; };
    Family present(families, MetricType::Gauge, name("present"), "Faces that are " + where + " now.");
    for (const auto& [labels, faces] : places) present.add(labels, faces->present);
    Family entered(families, MetricType::Counter, name("entered_total"), "Faces that came " + where + ".");
    for (const auto& [labels, faces] : places) entered.add(labels, faces->entered);
    Family dwell(families, MetricType::Histogram, name("dwell_seconds"),
                 "How long faces that left had been " + where + ".");
    for (const auto& [labels, faces] : places) dwell.add(labels, faces->dwell);
}

void addFaces(MetricFamilies& families, const uplink::AgentFigures& agent) {
    std::vector<std::pair<Labels, const uplink::FaceFigures*>> views;
    std::vector<std::pair<Labels, const uplink::FaceFigures*>> zones;
    for (const auto& [id, camera] : agent.cameras) {
        views.emplace_back(Labels{{"camera", id}}, &camera.faces);
        for (const auto& [name, faces] : camera.zones) {
            zones.emplace_back(Labels{{"camera", id}, {"zone", name}}, &faces);
        }
    }
    addFaces(families, views, "edgecam_faces_", "in the view");
    addFaces(families, zones, "edgecam_zone_faces_", "in the zone");
}

}  // namespace

MetricFamilies agentFamilies(const uplink::AgentView& agent, Monotonic now) {
    MetricFamilies families;
    const auto uptime = std::chrono::duration_cast<Microseconds>(now - agent.startedAt);
    Family(families, MetricType::Gauge, "edgecam_uptime_seconds", "Since the agent started.")
        .add({}, secondsOf(uptime));
    return families;
}

MetricFamilies cameraFamilies(const uplink::AgentView& agent) {
    MetricFamilies families;
    Family up(families, MetricType::Gauge, "edgecam_camera_up", "1 while the camera is live.");
    for (const auto& [id, status] : agent.cameras) {
        up.add({{"camera", id}}, status.state == CameraState::live ? 1.0 : 0.0);
    }
    Family state(families, MetricType::Gauge, "edgecam_camera_state", "1 for the state in force.");
    for (const auto& [id, status] : agent.cameras) {
        for (const CameraState each :
             {CameraState::starting, CameraState::live, CameraState::degraded, CameraState::stopped,
              CameraState::reconnecting, CameraState::error, CameraState::disabled}) {
            state.add({{"camera", id}, {"state", nameOf(each)}}, status.state == each ? 1.0 : 0.0);
        }
    }
    Family restarts(families, MetricType::Counter, "edgecam_camera_restarts_total",
                    "Times the camera was opened again.");
    for (const auto& [id, status] : agent.cameras) restarts.add({{"camera", id}}, status.restarts);
    Family rate(
        families, MetricType::Gauge, "edgecam_vision_rate_hertz",
        "Pictures looked through a second, at most: what the config asks, or what the box can spare.");
    for (const auto& [id, status] : agent.cameras) rate.add({{"camera", id}}, status.analysis.rateHz);
    Family width(families, MetricType::Gauge, "edgecam_vision_width_pixels",
                 "Width of what pictures are fitted into to be looked through; 0: none are.");
    for (const auto& [id, status] : agent.cameras)
        width.add({{"camera", id}}, static_cast<double>(status.analysis.size.width));
    if (!agent.figures) return families;
    for (const auto& [name, help, value] : kCameraCounters) {
        Family family(families, MetricType::Counter, name, help);
        for (const auto& [id, figures] : agent.figures->cameras) family.add({{"camera", id}}, figures.*value);
    }
    Family decoding(families, MetricType::Gauge, "edgecam_camera_decoding",
                    "What is decoded of the stream's coded pictures: 0 nothing, 1 key frames, 2 everything.");
    for (const auto& [id, figures] : agent.figures->cameras) {
        decoding.add({{"camera", id}, {"stream", "main"}}, static_cast<double>(figures.decoding));
        decoding.add({{"camera", id}, {"stream", "sub"}}, static_cast<double>(figures.subDecoding));
    }
    Family last(families, MetricType::Gauge, "edgecam_vision_last_analysis_seconds",
                "How long the last picture took to be looked through.");
    for (const auto& [id, figures] : agent.figures->cameras) {
        if (figures.analysed > 0) last.add({{"camera", id}}, secondsOf(figures.lastAnalysis));
    }
    Family work(families, MetricType::Counter, "edgecam_vision_processor_seconds_total",
                "Processor time of looking through pictures.");
    for (const auto& [id, figures] : agent.figures->cameras)
        work.add({{"camera", id}}, secondsOf(figures.analysisWork));
    addFaces(families, *agent.figures);
    addPictureDelays(families, *agent.figures);
    return families;
}

MetricFamilies uplinkFamilies(const uplink::AgentView& agent, const std::vector<ServiceSnapshot>& services) {
    using uplink::UplinkState;
    MetricFamilies families;
    Family state(families, MetricType::Gauge, "edgecam_uplink_state", "1 for the state in force.");
    for (const auto& [name, status] : agent.uplinks) {
        for (const UplinkState each : {UplinkState::connecting, UplinkState::authenticating,
                                       UplinkState::live, UplinkState::backingOff, UplinkState::rejected}) {
            state.add({{"uplink", name}, {"state", nameOf(each)}}, status.state == each ? 1.0 : 0.0);
        }
    }
    Family attempts(families, MetricType::Counter, "edgecam_uplink_connection_attempts_total",
                    "Times the hub was dialled.");
    for (const auto& [name, status] : agent.uplinks) attempts.add({{"uplink", name}}, status.attempts);
    addUplinkLanes(families, services);
    addUplinkLinks(families, services);
    if (agent.figures) addPlans(families, *agent.figures);
    std::vector<std::pair<Labels, uplink::Traffic>> traffic;
    for (const ServiceSnapshot& service : services) {
        if (!service.uplink.empty()) {
            traffic.emplace_back(Labels{{"uplink", service.uplink}}, service.figures->traffic);
        }
    }
    addTraffic(families, "edgecam_uplink", traffic);
    Family acks(families, MetricType::Histogram, "edgecam_event_ack_delay_seconds",
                "From an event's commit until a hub that acknowledges had acknowledged it.");
    for (const ServiceSnapshot& service : services) {
        if (!service.uplink.empty()) acks.add({{"uplink", service.uplink}}, service.figures->eventAcks);
    }
    Family media(families, MetricType::Histogram, "edgecam_media_ack_delay_seconds",
                 "From a picture's last byte being given to the socket until the hub's media_ack for it.");
    for (const ServiceSnapshot& service : services) {
        if (!service.uplink.empty()) media.add({{"uplink", service.uplink}}, service.figures->mediaAcks);
    }
    return families;
}

MetricFamilies viewerFamilies(const std::vector<ServiceSnapshot>& services) {
    using uplink::Role;
    MetricFamilies families;
    for (const ServiceSnapshot& service : services) {
        if (!service.uplink.empty()) continue;
        const uplink::ServiceFigures& figures = *service.figures;
        Family viewers(families, MetricType::Gauge, "edgecam_viewers", "Peers that are signed in, by role.");
        for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
            const auto found = figures.peers.find(role);
            const std::uint64_t count = found == figures.peers.end() ? 0 : found->second;
            viewers.add({{"role", nameOf(role)}}, count);
        }
        Family dropped(
            families, MetricType::Counter, "edgecam_viewer_dropped_total",
            "Messages, of video access units, that were given up because a viewer took too little.");
        for (std::size_t lane = 0; lane < figures.lanes.size(); ++lane) {
            dropped.add({{"lane", uplink::laneName(lane)}}, figures.lanes[lane].dropped);
        }
        addTraffic(families, "edgecam_viewer", {{Labels{}, figures.traffic}});
    }
    return families;
}

MetricFamilies serviceFamilies(const std::vector<ServiceSnapshot>& services) {
    MetricFamilies families;
    std::map<uplink::ErrorCode, std::uint64_t> errors;
    for (const ServiceSnapshot& service : services) {
        for (const auto& [code, count] : service.figures->errors) errors[code] += count;
    }
    Family told(families, MetricType::Counter, "edgecam_errors_total",
                "Errors that peers were told, by code.");
    for (const auto& [code, count] : errors) told.add({{"code", uplink::nameOf(code)}}, count);

    Family dropped(families, MetricType::Counter, "edgecam_service_dropped_total",
                   "What a service's thread was too busy to take, before any peer's lane.");
    const auto addDelays = [&](const char* name, const char* help, Delays uplink::VideoDelays::*stage) {
        Family family(families, MetricType::Histogram, name, help);
        for (const ServiceSnapshot& service : services) {
            family.add({{"service", serviceName(service)}, {"lane", "video"}}, service.figures->video.*stage);
        }
    };
    addDelays("edgecam_queue_delay_seconds",
              "From a picture's chunk being made until a socket was given its last byte.",
              &uplink::VideoDelays::queue);
    addDelays("edgecam_socket_delay_seconds",
              "From then until the peer's machine had acknowledged it; of ten pictures a second at most.",
              &uplink::VideoDelays::socket);
    Family wait(families, MetricType::Gauge, "edgecam_service_oldest_wait_seconds",
                "How long the oldest item waits for the service's thread.");
    for (const ServiceSnapshot& service : services) {
        const std::string name = serviceName(service);
        dropped.add({{"service", name}, {"reason", "video"}}, service.droppedChunks);
        dropped.add({{"service", name}, {"reason", "faces"}}, service.droppedFaceItems);
        wait.add({{"service", name}}, secondsOf(service.oldestWait));
    }
    return families;
}

MetricFamilies journalFamilies(const uplink::JournalStatus& journal) {
    MetricFamilies families;
    const auto add = [&](MetricType type, const char* name, const char* help, auto value) {
        Family(families, type, name, help).add({}, static_cast<double>(value));
    };
    add(MetricType::Gauge, "edgecam_journal_ok", "1 while events are kept on disk, 0 while the disk refuses.",
        journal.ok ? 1 : 0);
    add(MetricType::Gauge, "edgecam_journal_records", "Events and gaps on disk that some hub has not got.",
        journal.records);
    add(MetricType::Gauge, "edgecam_journal_bytes", "Size of those events.", journal.bytes);
    add(MetricType::Counter, "edgecam_journal_committed_total", "Events that were put on disk.",
        journal.committed);
    add(MetricType::Counter, "edgecam_journal_commits_total", "Commits, each of one or several events.",
        journal.commits);
    add(MetricType::Counter, "edgecam_journal_discarded_total",
        "Events that the bounded journal gave up; hubs are told by a gap.", journal.discarded);
    add(MetricType::Counter, "edgecam_journal_unstored_total",
        "Events that were told to connected hubs without being on disk.", journal.unstored);
    return families;
}

MetricFamilies processFamilies(const uplink::ProcessFigures& process) {
    MetricFamilies families;
    const auto add = [&](MetricType type, const char* name, const char* help, double value) {
        Family(families, type, name, help).add({}, value);
    };
    add(MetricType::Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.",
        static_cast<double>(process.residentBytes));
    add(MetricType::Gauge, "edgecam_process_anonymous_memory_bytes",
        "Resident memory that no file stands behind.", static_cast<double>(process.anonymousBytes));
    add(MetricType::Counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
        process.cpuSeconds);
    add(MetricType::Gauge, "process_open_fds", "Number of open file descriptors.",
        static_cast<double>(process.descriptors));
    add(MetricType::Gauge, "edgecam_process_threads", "Threads of the process.",
        static_cast<double>(process.threads));
    return families;
}

}  // namespace edgecam::agent
