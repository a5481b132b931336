// An agent without a camera: publishes noise as video, and face events, over the real transport. For
// benchmarks of the transport alone, without a decoder's or a detector's share of the machine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "base/allocator.hpp"
#include "base/log.hpp"
#include "capture/cmaf_muxer.hpp"
#include "uplink/local_server.hpp"
#include "uplink/relayed_server.hpp"
#include "uplink/uplink_client.hpp"

using namespace edgecam;
using namespace edgecam::uplink;

namespace {

constexpr const char* kCamera = "noise";
constexpr const char* kToken = "bench";
constexpr RenditionId kRendition = 1;
constexpr std::uint16_t kChannel = 1;

std::atomic<bool> ending{false};

struct Settings {
    std::string url;
    int port = 0;
    int kbps = 2000;
    int framesPerSecond = 30;
    double secondsBetweenKeys = 2;
    std::size_t keyBytes = 60'000;
    double eventsPerSecond = 20;
    double seconds = 30;
    bool holdsVideoBack = true;
    bool apart = false;
    std::size_t places = 100;
    bool muxes = false;
};

/// Grants every start; remembers that a key frame was asked for.
class NoiseDesk final : public CommandSink {
  public:
    explicit NoiseDesk(PeerExchange& exchange) : exchange_(exchange) {}

    void submit(const Command& command) override {
        if (std::holds_alternative<ForceKeyFrame>(command.action)) keyWanted_ = true;
        if (command.ticket == 0) return;
        if (!std::holds_alternative<StartStream>(command.action)) {
            return exchange_.complete(command.session, command.ticket, Done{});
        }
        StreamGrant grant;
        grant.rendition = kRendition;
        grant.backlog.chunks = {initSegment()};
        exchange_.complete(command.session, command.ticket, grant);
        keyWanted_ = true;
    }
    void sessionEnded(SessionId /*session*/) override {}
    bool takeKeyWish() { return keyWanted_.exchange(false); }

    static Chunk initSegment() {
        Chunk chunk;
        chunk.kind = ChunkKind::initSegment;
        chunk.rendition = kRendition;
        chunk.channel = kChannel;
        chunk.payload = share(ByteBuffer(700, 1));
        auto format = std::make_shared<StreamFormat>();
        format->codecString = "avc1.64001f";
        format->size = {1280, 720};
        chunk.format = std::move(format);
        return chunk;
    }

  private:
    PeerExchange& exchange_;
    std::atomic<bool> keyWanted_{false};
};

/// Paces pictures and events by the clock.
class NoiseCamera {
  public:
    NoiseCamera(const Settings& settings, PeerExchange& exchange, NoiseDesk& desk)
        : settings_(settings), exchange_(exchange), desk_(desk), noise_(1 << 20) {
        std::mt19937 random(1);
        std::ranges::generate(noise_, [&] { return static_cast<std::uint8_t>(random()); });
    }

    void run() {
        const auto begin = std::chrono::steady_clock::now();
        const auto end = begin + std::chrono::duration<double>(settings_.seconds);
        const std::chrono::duration<double> betweenEvents(1 / settings_.eventsPerSecond);
        const std::chrono::duration<double> betweenPictures(1.0 / settings_.framesPerSecond);
        std::chrono::duration<double> nextPicture{0};
        std::chrono::duration<double> nextEvent{0};
        while (!ending && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_until(begin + std::min(nextPicture, nextEvent));
            if (nextPicture <= nextEvent) {
                publishPicture();
                nextPicture += betweenPictures;
            } else {
                publishEvent();
                nextEvent += betweenEvents;
            }
        }
    }

  private:
    void publishPicture() {
        const double picturesBetweenKeys = settings_.secondsBetweenKeys * settings_.framesPerSecond;
        const bool key = desk_.takeKeyWish() || sinceKey_ >= picturesBetweenKeys;
        const double gopBytes = settings_.kbps * 125.0 * settings_.secondsBetweenKeys;
        const double rest = gopBytes - static_cast<double>(settings_.keyBytes);
        const double deltaBytes = std::max(200.0, rest / (picturesBetweenKeys - 1));
        const std::size_t bytes = key ? settings_.keyBytes : static_cast<std::size_t>(deltaBytes);
        sinceKey_ = key ? 1 : sinceKey_ + 1;
        Chunk chunk;
        chunk.rendition = kRendition;
        chunk.channel = kChannel;
        chunk.keyFrame = key;
        chunk.sequence = ++sequence_;
        chunk.captureTime = clock_.utc();
        const auto from = noise_.begin() + static_cast<std::ptrdiff_t>(sequence_ % 1000);
        if (settings_.muxes) {
            capture::AccessUnit unit;
            unit.data = ByteView(from, bytes);
            unit.pts = std::chrono::milliseconds(500) + Microseconds(33'333) * sequence_;
            unit.dts = unit.pts;
            unit.duration = Microseconds(33'333);
            unit.keyFrame = key;
            chunk.payload = share(muxer_.fragment(unit));
        } else {
            chunk.payload = share(ByteBuffer(from, from + static_cast<std::ptrdiff_t>(bytes)));
        }
        chunk.madeAt = clock_.monotonic();
        exchange_.publish(chunk);
    }

    void publishEvent() {
        FaceEvent event;
        event.eventId = std::to_string(++events_);
        event.cameraId = kCamera;
        event.phase = FacePhase::enter;
        event.trackId = 1;
        event.timestamp = event.firstSeen = event.lastSeen = clock_.utc();
        event.face.confidence = 0.9F;
        event.face.landmarks.emplace();
        event.frame = {sequence_, event.timestamp, {1280, 720}};
        exchange_.publish(event);
    }

    const Settings settings_;
    PeerExchange& exchange_;
    NoiseDesk& desk_;
    ByteBuffer noise_;
    SystemClock clock_;
    capture::CmafMuxer muxer_;
    std::uint32_t sequence_ = 0;
    int sinceKey_ = 0;
    std::uint64_t events_ = 0;
};

AgentView view() {
    AgentView agent;
    agent.agentId = "noise-box";
    agent.cameras[kCamera] = {.cameraId = kCamera, .state = CameraState::live, .size = {1280, 720}};
    return agent;
}

int runUplink(const Settings& settings) {
    const SystemClock clock;
    PeerExchange exchange(view(), 16 << 10, clock);
    NoiseDesk desk(exchange);
    UplinkSettings uplink;
    const auto url = parseHubUrl(settings.url);
    if (!url) return std::fprintf(stderr, "%s\n", url.error().message.c_str()), 1;
    uplink.name = url->shown;
    uplink.endpoints = std::make_shared<Endpoints>(std::vector{*url}, BackOff::systemChance());
    uplink.hub.token = kToken;
    uplink.hub.start = {kCamera};
    uplink.holdsVideoBack = settings.holdsVideoBack;
    uplink.followsLink = false;  // noise follows nobody, and giving it up would hide what holding back does
    const auto client = UplinkClient::start(uplink, exchange, desk, clock, [](const UplinkStatus& status) {
        std::fprintf(stderr, "uplink %s %s\n", nameOf(status.state), status.reason.c_str());
    });
    if (!client) return std::fprintf(stderr, "%s\n", client.error().message.c_str()), 1;
    NoiseCamera(settings, exchange, desk).run();
    return 0;
}

int runServer(const Settings& settings) {
    const SystemClock clock;
    PeerExchange exchange(view(), 64 << 10, clock);
    NoiseDesk desk(exchange);
    Access access({.tokens = {TokenRule::of(kToken, Role::viewer)}}, clock);
    LocalServerSettings local;
    local.port = settings.port;
    local.maxConnections = settings.places;
    local.maxPerAddress = local.maxConnections;  // all of a crowd have one
    const auto server = settings.apart ? startRelayedServer(local, {.arguments = {"viewers"}}, access,
                                                            exchange, desk, clock, {})
                                       : LocalServer::start(local, access, exchange, desk, clock, {});
    if (!server) return std::fprintf(stderr, "%s\n", server.error().message.c_str()), 1;
    std::printf("{\"port\":%d}\n", (*server)->port());
    std::fflush(stdout);
    NoiseCamera(settings, exchange, desk).run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    useOneHeap();
    std::signal(SIGTERM, [](int) { ending = true; });
    startLog(LogLevel::warning);  // a hundred viewers that come are no news
    Settings settings;
    CLI::App app("Publishes noise as video, and face events.");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--kbps", settings.kbps, "video, on average");
    app.add_option("--fps", settings.framesPerSecond);
    app.add_option("--key-every", settings.secondsBetweenKeys, "seconds");
    app.add_option("--key-bytes", settings.keyBytes);
    app.add_option("--events", settings.eventsPerSecond, "a second");
    app.add_option("--seconds", settings.seconds);
    auto* uplink = app.add_subcommand("uplink", "dials a hub");
    uplink->add_option("url", settings.url)->required();
    uplink->add_flag("!--hold-nothing-back", settings.holdsVideoBack, "as the agent was before it did");
    auto* server = app.add_subcommand("serve", "is a local server; prints its port");
    server->add_option("--port", settings.port);
    server->add_flag("--mux", settings.muxes, "what is noise is muxed as a camera's access units are");
    server->add_option("--places", settings.places, "how many viewers are let in");
    server->add_flag("--apart", settings.apart, "from a process of its own");
    const auto* viewers = app.add_subcommand("viewers", "is that process");
    CLI11_PARSE(app, argc, argv);
    if (viewers->parsed()) return serveViewers();
    return uplink->parsed() ? runUplink(settings) : runServer(settings);
}
