#include "agent/config_desk.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/config_document.hpp"
#include "base/foreign_words.hpp"
#include "base/log.hpp"
#include "uplink/message_request.hpp"

namespace edgecam::agent {
namespace {

using uplink::ErrorCode;
using uplink::Outcome;
using uplink::Refusal;
using uplink::Report;

// What is larger could not be sent back either; configs are some kilobytes.
constexpr std::size_t kMostShown = uplink::kMostConfigBytes;
constexpr std::size_t kMostOfName = 64;

/// "/cameras/0/source: …": the place at fault is the field.
Refusal refusalOf(const Error& error) {
    const auto colon = error.message.find(": ");
    const bool placed = error.message.starts_with('/') && colon != std::string::npos;
    return {ErrorCode::badRequest, error.message,
            placed ? "config" + error.message.substr(0, colon) : std::string("config")};
}

template <class Items, class Name>
void writeNames(JsonWriter& json, std::string_view field, const Items& items, const Name& name) {
    json.key(field).beginArray();
    for (const auto& item : items) json.value(std::string_view(name(item)));
    json.endArray();
}
template <class Items>
void writeNames(JsonWriter& json, std::string_view field, const Items& items) {
    writeNames(
        json, field, items, [](const auto& item) -> const auto& { return item; });
}

void writeChange(JsonWriter& json, const ConfigChange& change) {
    std::vector<std::string> reopened, changed;
    for (const CameraChange& each : change.camerasChanged)
        (each.source ? reopened : changed).push_back(each.camera.id);
    json.key("changes").beginObject().key("cameras").beginObject();
    writeNames(
        json, "added", change.camerasAdded, [](const auto& camera) -> const auto& { return camera.id; });
    writeNames(json, "removed", change.camerasRemoved);
    writeNames(json, "reopened", reopened);
    writeNames(json, "changed", changed);
    json.endObject().key("uplinks").beginObject();
    writeNames(json, "added", change.uplinksAdded);
    writeNames(json, "removed", change.uplinksRemoved);
    writeNames(json, "redialled", change.uplinksChanged);
    json.endObject().field("vision", change.vision).field("tokens", change.tokens);
    json.field("log_level", change.logLevel);
    writeNames(json, "needs_restart", change.needRestart);
    json.endObject();
}

}  // namespace

ConfigDesk::ConfigDesk(ConfigInForce inForce, DataDir dataDir, const Clock& clock, Ways ways)
    : inForce_(std::move(inForce)), dataDir_(std::move(dataDir)), clock_(clock), ways_(std::move(ways)) {}

Outcome ConfigDesk::execute(const uplink::AskConfig& ask) {
    switch (ask.action) {
        case uplink::ConfigAction::get:
            return show();
        case uplink::ConfigAction::check:
            return check(ask.candidate);
        case uplink::ConfigAction::apply:
            return apply(ask);
        case uplink::ConfigAction::confirm:
            return confirm(ask.by);
        case uplink::ConfigAction::revert:
            return revert(ask.by);
    }
    return Refusal{ErrorCode::unsupported, "unknown action", "action"};
}

void ConfigDesk::writeStanding(JsonWriter& json) const {
    const ConfigInForce& kept = before_ ? before_->inForce : inForce_;
    const char* source = kept.remote ? "remote" : "file";
    json.field("state", before_ ? "on_trial" : "in_force").field("source", before_ ? "trial" : source);
    json.field("file", inForce_.file.path);
    if (before_) {
        json.key("trial").beginObject().field("by", harmless(before_->by, kMostOfName));
        const double left = static_cast<double>(trial_.left(clock_.monotonic()).count()) / 1e6;
        json.key("ends_in_s").rounded(left, 1).field("returns_to", source).endObject();
    }
    if (kept.remote) {
        json.key("remote").beginObject().field("by", harmless(kept.remote->by, kMostOfName));
        json.field("confirmed_at", secondsOf(kept.remote->confirmedAt)).endObject();
    }
    writeNames(json, "needs_restart", changeBetween(ways_.running(), inForce_.config).needRestart);
}

std::string ConfigDesk::standing() const {
    JsonWriter json;
    json.beginObject();
    writeStanding(json);
    return json.endObject().take();
}

Outcome ConfigDesk::show() const {
    const std::string config = withoutSecrets(inForce_.document);
    if (config.size() > kMostShown)
        return Refusal{ErrorCode::tooLarge, "the config is too large to be sent", ""};
    JsonWriter json;
    json.beginObject();
    writeStanding(json);
    return Report{json.key("config").raw(config).endObject().take()};
}

std::variant<ConfigDesk::Candidate, Refusal> ConfigDesk::read(const std::string& text) const {
    auto restored = withSecretsOf(inForce_.document, text);
    if (!restored) return refusalOf(restored.error());
    const std::string folder = folderOf(inForce_.file.path);
    if (const auto valid = parseConfig(*restored, folder); !valid) return refusalOf(valid.error());
    auto document = plainDocument(*restored, inForce_.document);
    if (!document) return refusalOf(document.error());
    auto config = parseConfig(document->text, folder);
    if (!config) return refusalOf(config.error());
    ConfigChange change = changeBetween(ways_.completed(inForce_.config), ways_.completed(*config));
    if (auto usable = ways_.check(*config, change); !usable) return refusalOf(usable.error());
    return Candidate{*std::move(config), std::move(document->text), std::move(change)};
}

Outcome ConfigDesk::check(const std::string& text) const {
    const auto read = this->read(text);
    if (const auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
    JsonWriter json;
    json.beginObject();
    writeStanding(json);
    writeChange(json, std::get<Candidate>(read).change);
    return Report{json.endObject().take()};
}

Outcome ConfigDesk::apply(const uplink::AskConfig& ask) {
    if (before_) {
        return Refusal{ErrorCode::conflict,
                       "another config is on trial: confirm or revert it, or wait until that is over", ""};
    }
    auto read = this->read(ask.candidate);
    if (const auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
    auto& candidate = std::get<Candidate>(read);
    if (!candidate.change.needRestart.empty()) {
        const std::string_view setting = candidate.change.needRestart.front();
        return Refusal{ErrorCode::conflict,
                       concat(setting, ": needs a restart, so that it cannot be tried: change it in ",
                              inForce_.file.path),
                       concat("config", setting)};
    }
    if (!candidate.change.nothing()) {
        before_ = {inForce_, ask.by};
        auto live = ways_.liveUplinks();
        // It may come from the viewers' process, which is not believed.
        const auto length = std::clamp<Microseconds>(ask.trial, std::chrono::seconds(uplink::kShortestTrialS),
                                                     std::chrono::seconds(uplink::kLongestTrialS));
        trial_.begin(clock_.monotonic(), length, std::move(live));
        inForce_.config = std::move(candidate.config);
        inForce_.document = std::move(candidate.document);
        ways_.apply(inForce_.config);
        tell("on_trial", concat(described(candidate.change), "; by ", quoted(ask.by, kMostOfName), ", for ",
                                std::chrono::round<std::chrono::seconds>(length).count(), " s"));
    }
    JsonWriter json;
    json.beginObject();
    writeStanding(json);
    writeChange(json, candidate.change);
    return Report{json.endObject().take()};
}

Outcome ConfigDesk::confirm(const std::string& by) {
    if (!before_) return Refusal{ErrorCode::conflict, "no config is on trial", ""};
    // Its time may be over, only that nobody has looked yet.
    if (trial_.look(clock_.monotonic()) == ConfigTrial::Verdict::revert) {
        look();
        return Refusal{ErrorCode::conflict, "too late, the trial is over", ""};
    }
    trial_.confirm(quoted(by, kMostOfName));
    look();
    if (!before_) return Report{standing()};
    return Refusal{ErrorCode::unavailable, "it could not be written down: it stays on trial", ""};
}

Outcome ConfigDesk::revert(const std::string& by) {
    if (!before_) return Refusal{ErrorCode::conflict, "no config is on trial", ""};
    bringBack(concat("asked for by ", quoted(by, kMostOfName)));
    return Report{standing()};
}

void ConfigDesk::uplinkSeen(const std::string& id, bool live, Monotonic when) {
    trial_.uplinkSeen(id, live, when);
    look();
}

void ConfigDesk::look() {
    const auto verdict = trial_.look(clock_.monotonic());
    if (verdict == ConfigTrial::Verdict::none) return;
    if (verdict == ConfigTrial::Verdict::revert)
        return bringBack(trial_.provedBy().empty() ? "nobody confirmed it, and no uplink became live again"
                                                   : "it could not be written down");
    if (const auto kept = keep(); !kept) {
        if (!std::exchange(before_->saidUnwritten, true))
            logError("agent",
                     "a confirmed config cannot be written down and stays on trial: ", kept.error().message);
        return;
    }
    const std::string by = trial_.provedBy();
    trial_.end();
    before_.reset();
    tell("confirmed", "by " + by);
}

/// A config that says what the file says needs no place of its own.
Result<void> ConfigDesk::keep() {
    if (inForce_.document == inForce_.file.document.text) {
        dataDir_.setRemoteConfigAside();
        inForce_.remote.reset();
        return {};
    }
    const DataDir::RemoteConfig remote{.document = inForce_.document,
                                       .replacedDigest = inForce_.file.document.digest,
                                       .confirmedAt = clock_.utc(),
                                       .by = before_->by};
    if (auto kept = dataDir_.rememberRemoteConfig(remote); !kept) return kept;
    inForce_.remote = {remote.by, remote.confirmedAt};
    return {};
}

/// What was in force before had its chance then: whether all its files are there still is not asked.
void ConfigDesk::bringBack(const std::string& why) {
    inForce_ = std::move(before_->inForce);
    before_.reset();
    trial_.end();
    ways_.apply(inForce_.config);
    tell("reverted", why);
}

Result<std::string> ConfigDesk::reread() {
    auto file = readConfigFile(inForce_.file.path, inForce_.document);
    if (!file) return file.error();
    const bool same = file->document.digest == inForce_.file.document.digest;
    if (same && before_) return std::string("it has not changed, the config on trial stays so");
    if (same && inForce_.remote) {
        return concat("it has not changed, the config that ", quoted(inForce_.remote->by, kMostOfName),
                      " applied stays in force");
    }
    ConfigChange change = changeBetween(ways_.running(), ways_.completed(file->config));
    if (auto usable = ways_.check(file->config, change); !usable) return usable.error();
    const bool replaces = before_ || inForce_.remote;
    before_.reset();
    trial_.end();
    if (!same) dataDir_.setRemoteConfigAside();
    inForce_ = {.file = *file, .config = file->config, .document = file->document.text, .remote = {}};
    change = ways_.apply(inForce_.config);
    std::string what = described(change);
    if (replaces) {
        what += "; it takes the place of the config that was applied from afar";
        tell("file_changed", "the file was changed and read again");
    }
    return what;
}

void ConfigDesk::tell(const char* what, const std::string& why) {
    JsonWriter json;
    json.beginObject().field("change", what).field("reason", why);
    writeStanding(json);
    logInfo("agent", "config ", what, ": ", why);
    ways_.tell({json.endObject().take()});
}

}  // namespace edgecam::agent
