// Agent: the hubs that it dials, and the journal of what they have not got yet, from the start on and when
// the config is read again. To end a connection may take seconds (a farewell, a name lookup): a thread that
// comes and goes waits for it, and the main thread hears of it.
#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

#include "agent/agent.hpp"
#include "base/log.hpp"

namespace edgecam::agent {
namespace {

// Smaller than for viewers, so that an urgent message waits less.
constexpr std::size_t kUplinkPartBytes = 16 << 10;

std::vector<uplink::Purpose> purposesOf(const UplinkConfig& hub) {
    if (hub.separateEvents) return {uplink::Purpose::events, uplink::Purpose::media};
    return {uplink::Purpose::all};
}

/// How the uplink comes to its token, where that is in a file.
std::function<std::string()> readerOf(const UplinkConfig& hub) {
    if (hub.tokenFile.empty()) return {};
    return [name = hub.name, file = hub.tokenFile]() -> std::string {
        const auto lines = readSecretLines(file);
        if (lines && !lines->empty()) return lines->front();
        logError("agent", name, ": no token: ", lines ? file + " holds none" : lines.error().message);
        return {};
    };
}

/// Where they stand before any of them was dialled.
std::vector<uplink::UplinkStatus> uplinksToDial(const std::vector<UplinkConfig>& hubs) {
    std::vector<uplink::UplinkStatus> uplinks;
    for (const UplinkConfig& hub : hubs) {
        for (const auto purpose : purposesOf(hub)) {
            auto& status = uplinks.emplace_back();
            status.name = hub.name;
            status.purpose = purpose;
            status.url = hub.hubs.front().shown;
        }
    }
    return uplinks;
}

std::string idOf(const UplinkConfig& hub, uplink::Purpose purpose) {
    return uplink::UplinkStatus{.name = hub.name, .purpose = purpose}.id();
}

}  // namespace

void Agent::announceUplinks(const std::vector<UplinkConfig>& hubs) {
    for (const auto& status : uplinksToDial(hubs)) ports_.publish(status);
}

/// Uplinks that are still ending want to say what they have passed.
std::vector<std::string> Agent::consumers() const {
    std::set<std::string> names;
    for (const UplinkConfig& hub : config_.uplinks) names.insert(hub.name);
    for (const auto& [name, hub] : uplinks_) names.insert(name);
    return {names.begin(), names.end()};
}

void Agent::openJournal() {
    uplink::JournalSettings settings;
    settings.folder = dataDir_.path();
    settings.consumers = consumers();
    settings.maxBytes = config_.journal.maxBytes;
    settings.maxAge = config_.journal.maxAge;
    const auto toHubs = [this](const auto& say) {
        ports_.each([&](Port& port) {
            if (port.durable()) say(port.exchange);
        });
    };
    const auto announce = [toHubs](const std::string& journal, std::int64_t newest) {
        toHubs([&](auto& exchange) { exchange.publishJournal(journal, newest); });
    };
    journal_ = uplink::Journal::open(
        settings, clock_,
        uplink::Journal::Callbacks{
            .committed = announce,
            .unstored =
                [toHubs](const FaceEvent& event) {
                    toHubs([&](auto& exchange) { exchange.publish(event); });
                },
            .changed =
                [announce](const uplink::JournalStatus& status) {
                    announce(status.journal, status.newest);
                    if (status.ok) return logInfo("journal", "events are kept in journal ", status.journal);
                    logWarning("journal", "events are not kept: ", status.trouble);
                },
        });
    eventsTo_ = journal_.get();
}

/// To a port that came when the journal had moved on.
void Agent::tellJournal(Port& port) const {
    for (auto status = journal_->status();;) {
        port.exchange.publishJournal(status.journal, status.newest);
        // A commit in between was told before this older news, and would be superseded by it.
        const auto newer = journal_->status();
        if (newer.newest == status.newest && newer.journal == status.journal) return;
        status = newer;
    }
}

void Agent::startUplinks() {
    if (config_.uplinks.empty()) return;
    if (journal_) {
        journal_->keepFor(consumers());
    } else {
        openJournal();
    }
    for (const UplinkConfig& hub : config_.uplinks) {
        const auto stillThere = [&](uplink::Purpose purpose) {
            return ports_.find(idOf(hub, purpose)) != nullptr;
        };
        // One of that name, or with a connection of that name, is still ending: then it is started after
        // that.
        if (uplinks_.contains(hub.name) || std::ranges::any_of(purposesOf(hub), stillThere)) continue;
        startUplink(hub);
    }
}

void Agent::startUplink(const UplinkConfig& hub) {
    announceUplinks({hub});
    plans_.begin(hub);
    for (const auto purpose : purposesOf(hub)) {
        auto port = makePort(kUplinkPartBytes, idOf(hub, purpose));
        if (purpose != uplink::Purpose::media) port->keepFor(hub.name, *journal_);
        Port& here = *port;
        ports_.add(std::move(port));
        if (here.durable()) tellJournal(here);
    }
    Uplink& started = uplinks_[hub.name];
    started.config = hub;
    const auto endpoints = std::make_shared<uplink::Endpoints>(hub.hubs, uplink::BackOff::systemChance());
    for (const auto purpose : purposesOf(hub)) {
        if (auto client = dial(hub, purpose, endpoints)) started.clients.push_back(std::move(client));
    }
}

std::unique_ptr<uplink::UplinkClient> Agent::dial(const UplinkConfig& hub, uplink::Purpose purpose,
                                                  const std::shared_ptr<uplink::Endpoints>& endpoints) {
    Port& port = *ports_.find(idOf(hub, purpose));
    uplink::UplinkSettings settings;
    settings.name = hub.name;
    settings.endpoints = endpoints;
    settings.hub = {.token = hub.token,
                    .grant = {.role = hub.role, .cameras = hub.cameras, .name = hub.name},
                    .readToken = readerOf(hub),
                    .start = hub.start,
                    .purpose = purpose};
    settings.origin = sessionOrigin();
    settings.caFile = hub.caFile;
    settings.tls = hub.tls;
    settings.proxy = hub.proxy;
    settings.maxDelay = hub.longestWait;
    settings.mostVideoKbps = hub.maxKbps;
    if (hub.videoWait) settings.videoWait = *hub.videoWait;
    settings.plan = plans_.of(hub.name);
    settings.session.partBytes = kUplinkPartBytes;
    settings.threadName = concat("uplink-", uplinkThreads_++);
    if (port.durable()) settings.journal = &port;
    auto client =
        uplink::UplinkClient::start(settings, port.exchange, port, clock_, [this](const auto& status) {
            logInfo("uplink", status.name, " (", nameOf(status.purpose), ") at ", status.url, ": ",
                    nameOf(status.state), status.reason.empty() ? "" : ": ", status.reason);
            ports_.publish(status);
            uplinkSeen(status);
        });
    if (client) return *std::move(client);
    // The box is useful without this hub, and a file that is missing may come.
    logError("agent", "a hub is not dialled: ", client.error().message);
    ports_.publish({.name = hub.name,
                    .purpose = purpose,
                    .url = hub.hubs.front().shown,
                    .state = uplink::UplinkState::rejected,
                    .reason = "not dialled: " + client.error().message});
    return nullptr;
}

/// On the uplink's thread. One that ends speaks for a config that is in force no more.
void Agent::uplinkSeen(const uplink::UplinkStatus& status) {
    const bool live = status.state == uplink::UplinkState::live;
    loop_.post([this, name = status.name, id = status.id(), live, when = clock_.monotonic()] {
        const auto found = uplinks_.find(name);
        if (found != uplinks_.end() && !found->second.ending) configDesk_.uplinkSeen(id, live, when);
    });
}

/// No-op for one that ends already, or was not started yet since another is ending.
void Agent::endUplink(const std::string& name) {
    const auto found = uplinks_.find(name);
    if (found == uplinks_.end() || found->second.ending) return;
    found->second.ending = true;
    auto clients = std::exchange(found->second.clients, {});
    std::erase_if(farewells_, [](const auto& farewell) {
        return farewell.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    farewells_.push_back(std::async(std::launch::async, [this, name, ending = std::move(clients)]() mutable {
        ending.clear();
        loop_.post([this, name] { uplinkEnded(name); });
    }));
}

/// What its sessions had to say to the main thread was said before.
void Agent::uplinkEnded(const std::string& name) {
    const auto ended = uplinks_.extract(name);
    for (const auto purpose : purposesOf(ended.mapped().config)) {
        ports_.remove(idOf(ended.mapped().config, purpose));
    }
    plans_.end(name);
    if (journal_) journal_->keepFor(consumers());
    startUplinks();
}

}  // namespace edgecam::agent
