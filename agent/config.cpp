#include "agent/config.hpp"

#include <glib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "agent/box_id.hpp"
#include "agent/json_schema.hpp"
#include "agent/places.hpp"
#include "agent/scene_config.hpp"
#include "agent/secret_file.hpp"
#include "base/json.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/ip_address.hpp"
#include "uplink/request_policy.hpp"
#include "uplink/uplink_status.hpp"

namespace edgecam::agent {
namespace {

namespace fs = std::filesystem;

std::string place(const char* list, std::size_t index, const char* field) {
    return concat("/", list, "/", index, "/", field);
}

// The schema has checked types and ranges by now: what is left is "there or the default".
const JsonValue* memberOf(const JsonValue& object, const char* name) {
    const auto member = object.FindMember(name);
    return member == object.MemberEnd() ? nullptr : &member->value;
}
std::string textOf(const JsonValue& value) {
    return {value.GetString(), value.GetStringLength()};  // it may hold a zero
}
std::string textAt(const JsonValue& object, const char* name, std::string otherwise) {
    const JsonValue* member = memberOf(object, name);
    return member != nullptr ? textOf(*member) : otherwise;
}
bool flagAt(const JsonValue& object, const char* name, bool otherwise) {
    const JsonValue* member = memberOf(object, name);
    return member != nullptr ? member->GetBool() : otherwise;
}
int integerAt(const JsonValue& object, const char* name, int otherwise) {
    const JsonValue* member = memberOf(object, name);
    return member != nullptr ? member->GetInt() : otherwise;
}
double numberAt(const JsonValue& object, const char* name, double otherwise) {
    const JsonValue* member = memberOf(object, name);
    return member != nullptr ? member->GetDouble() : otherwise;
}
std::vector<std::string> textsAt(const JsonValue& object, const char* name) {
    std::vector<std::string> texts;
    if (const JsonValue* list = memberOf(object, name)) {
        for (const JsonValue& item : list->GetArray()) texts.push_back(textOf(item));
    }
    return texts;
}

std::string absolute(const std::string& path, const std::string& folder) {
    if (path.empty()) return {};
    return (fs::path(folder) / path).lexically_normal().string();
}

LogLevel levelNamed(const std::string& word) {
    if (word == "error") return LogLevel::error;
    if (word == "warning") return LogLevel::warning;
    if (word == "debug") return LogLevel::debug;
    return LogLevel::info;
}

/// The camera's second, smaller stream: only cameras on the network have one.
Result<std::optional<capture::SourceUri>> readSubstream(const JsonValue& object, const CameraConfig& camera) {
    if (memberOf(object, "substream") == nullptr) return std::optional<capture::SourceUri>();
    auto substream = capture::parseSourceUri(textAt(object, "substream", {}));
    if (!substream) return substream.error();
    for (const auto kind : {camera.source.kind, substream->kind}) {
        if (kind == capture::SourceKind::rtsp) continue;
        return Error{"only an rtsp:// source has one, and it is rtsp:// itself"};
    }
    return std::optional(*std::move(substream));
}

void readPictureLimits(const JsonValue& object, CameraConfig& camera) {
    camera.pictures = usualPictureLimits(camera.source.kind);
    const auto read = [&](const char* name, Microseconds& limit) {
        if (const JsonValue* given = memberOf(object, name))
            limit = Microseconds(static_cast<std::int64_t>(given->GetDouble() * 1e6));
    };
    read("frozen_after_s", camera.pictures.frozenAfter);
    read("black_after_s", camera.pictures.blackAfter);
}

Result<CameraConfig> readCamera(const JsonValue& object, const std::string& folder,
                                const std::string& where) {
    CameraConfig camera;
    camera.id = textAt(object, "id", {});
    camera.enabled = flagAt(object, "enabled", true);
    camera.vision = flagAt(object, "vision", true);
    auto source = capture::parseSourceUri(textAt(object, "source", {}));
    if (!source) return source.error().within(where + "/source");
    camera.source = *std::move(source);
    if (camera.source.kind == capture::SourceKind::file)
        camera.source.location = absolute(camera.source.location, folder);
    readPictureLimits(object, camera);
    if (const JsonValue* encoder = memberOf(object, "encoder")) {
        camera.encoder.bitrateKbps = integerAt(*encoder, "bitrate_kbps", camera.encoder.bitrateKbps);
        camera.encoder.size = {integerAt(*encoder, "width", 0), integerAt(*encoder, "height", 0)};
        camera.encoder.frameRate = numberAt(*encoder, "framerate", 0);
    }
    auto substream = readSubstream(object, camera);
    if (!substream) return substream.error().within(where + "/substream");
    camera.substream = *std::move(substream);
    camera.maxRenditions = integerAt(object, "max_renditions", camera.maxRenditions);
    auto scene = readScene(object);
    if (!scene) return Error{where + scene.error().message};
    camera.scene = *std::move(scene);
    return camera;
}

Result<void> readCameras(const JsonValue& list, const std::string& folder, Config& config) {
    std::set<std::string> ids;
    for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
        auto camera = readCamera(list[i], folder, concat("/cameras/", i));
        if (!camera) return camera.error();
        if (!ids.insert(camera->id).second) {
            return Error{place("cameras", i, "id") + ": \"" + camera->id + "\" is used by another camera"};
        }
        config.cameras.push_back(*std::move(camera));
    }
    return {};
}

/// "127.0.0.1:8080", "[::1]:8080", "*:8080".
Result<void> readListen(const std::string& text, ServerConfig& server) {
    const auto colon = text.rfind(':');
    const auto wrong =
        Error{"/server/listen: must be ADDRESS:PORT such as 127.0.0.1:8080, not \"" + text + "\""};
    if (colon == std::string::npos) return wrong;
    guint64 port = 0;
    if (g_ascii_string_to_unsigned(text.c_str() + colon + 1, 10, 0, 65535, &port, nullptr) == 0) return wrong;
    std::string address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    if (address != "*" && g_hostname_is_ip_address(address.c_str()) == 0) {
        return Error{"/server/listen: \"" + address + "\" is not a numeric address; use * for all addresses"};
    }
    server.address = address;
    server.port = static_cast<int>(port);
    return {};
}

Result<void> checkCameraNames(const std::vector<std::string>& names, const Config& config,
                              const std::string& where) {
    if (config.findCameras) return {};  // nobody knows them yet
    for (const std::string& name : names) {
        const auto same = [&](const CameraConfig& camera) { return camera.id == name; };
        if (std::none_of(config.cameras.begin(), config.cameras.end(), same)) {
            return Error{where + ": there is no camera \"" + name + "\""};
        }
    }
    return {};
}

/// The token itself is not kept, but for its hash.
Result<TokenConfig> readToken(const JsonValue& item, const std::string& where, const std::string& folder) {
    TokenConfig config{.name = textAt(item, "name", where.substr(1)),
                       .token = std::nullopt,
                       .file = findSecret(textAt(item, "token_file", {}), folder),
                       .role = *uplink::roleNamed(textAt(item, "role", "viewer")),
                       .cameras = textsAt(item, "cameras")};
    const bool plain = memberOf(item, "token") != nullptr;
    const bool hashed = memberOf(item, "token_hash") != nullptr;
    if (int{plain} + int{hashed} + int{!config.file.empty()} != 1) {
        return Error{where + ": needs exactly one of \"token\", \"token_hash\" and \"token_file\""};
    }
    if (plain) config.token = uplink::TokenHash::of(textAt(item, "token", {}));
    if (!hashed) return config;
    const auto hash = uplink::TokenHash::parse(textAt(item, "token_hash", {}));
    if (!hash) return hash.error().within(where + "/token_hash");
    config.token = *hash;
    return config;
}

TokenKeyConfig readTokenKey(const JsonValue& item, const std::string& folder) {
    return {.name = textAt(item, "name", {}),
            .publicKeyFile = absolute(textAt(item, "public_key_file", {}), folder),
            .audience = textAt(item, "audience", {}),
            .issuer = textAt(item, "issuer", {}),
            .most = *uplink::roleNamed(textAt(item, "role", "viewer")),
            .cameras = textsAt(item, "cameras"),
            .longest = std::chrono::seconds(integerAt(item, "longest_s", 24 * 3600))};
}

/// Files, or a certificate of the box's own making.
Result<void> readServerTls(const JsonValue& object, const std::string& folder, ServerConfig& server) {
    server.selfSigned = flagAt(object, "self_signed", false);
    server.tls.certificateFile = absolute(textAt(object, "cert_file", {}), folder);
    server.tls.keyFile = absolute(textAt(object, "key_file", {}), folder);
    server.tls.clientCaFile = absolute(textAt(object, "client_ca_file", {}), folder);
    const bool files = !server.tls.certificateFile.empty();
    if (files != !server.tls.keyFile.empty()) {
        return Error{"/server/tls: \"cert_file\" and \"key_file\" go together"};
    }
    if (files == server.selfSigned) {
        return Error{"/server/tls: needs either \"cert_file\" and \"key_file\", or \"self_signed\": true"};
    }
    return {};
}

Result<void> checkAddresses(const std::vector<std::string>& addresses, const char* where) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (!uplink::IpAddress::parse(addresses[i])) {
            return Error{concat(where, "/", i, ": \"", addresses[i], "\" is not a numeric address")};
        }
    }
    return {};
}

Result<void> readServer(const JsonValue& object, const std::string& folder, Config& config) {
    ServerConfig& server = config.server;
    server.enabled = flagAt(object, "enabled", true);
    if (auto listen = readListen(textAt(object, "listen", "127.0.0.1:8080"), server); !listen) return listen;
    // Whom this machine alone can reach is no stranger; to relay costs a little for every picture.
    server.ownProcess = flagAt(object, "own_process", !uplink::isLoopback(server.address));
    if (const JsonValue* tokens = memberOf(object, "tokens")) {
        for (rapidjson::SizeType i = 0; i < tokens->Size(); ++i) {
            const JsonValue& item = (*tokens)[i];
            auto token = readToken(item, concat("/server/tokens/", i), folder);
            if (!token) return token.error();
            const auto where = concat("/server/tokens/", i, "/cameras");
            if (auto known = checkCameraNames(token->cameras, config, where); !known) return known;
            server.tokens.push_back(*std::move(token));
        }
    }
    if (const JsonValue* keys = memberOf(object, "token_keys")) {
        for (rapidjson::SizeType i = 0; i < keys->Size(); ++i) {
            TokenKeyConfig key = readTokenKey((*keys)[i], folder);
            if (auto known =
                    checkCameraNames(key.cameras, config, concat("/server/token_keys/", i, "/cameras"));
                !known)
                return known;
            const auto same = [&](const TokenKeyConfig& other) { return other.name == key.name; };
            if (std::ranges::any_of(server.tokenKeys, same)) {
                return Error{
                    concat("/server/token_keys/", i, "/name: \"", key.name, "\" is another key's too")};
            }
            server.tokenKeys.push_back(std::move(key));
        }
    }
    server.allowedOrigins = textsAt(object, "allowed_origins");
    server.allowedHosts = textsAt(object, "allowed_hosts");
    server.maxConnections = static_cast<std::size_t>(integerAt(object, "max_connections", 100));
    server.maxPerAddress = static_cast<std::size_t>(integerAt(object, "max_per_address", 50));
    server.trustedProxies = textsAt(object, "trusted_proxies");
    if (auto numeric = checkAddresses(server.trustedProxies, "/server/trusted_proxies"); !numeric)
        return numeric;
    server.maxMessageBytes = static_cast<std::size_t>(integerAt(object, "max_message_bytes", 1 << 20));
    server.authWithin = Microseconds(static_cast<std::int64_t>(numberAt(object, "auth_timeout_s", 5) * 1e6));
    server.webRoot = absolute(textAt(object, "web_root", {}), folder);
    const JsonValue* tls = memberOf(object, "tls");
    return tls != nullptr ? readServerTls(*tls, folder, server) : Result<void>();
}

/// A hub that may not see a camera is not sent its video either.
Result<void> checkStarts(const UplinkConfig& uplink, const std::string& where) {
    if (uplink.cameras.empty()) return {};
    for (const std::string& id : uplink.start) {
        if (std::find(uplink.cameras.begin(), uplink.cameras.end(), id) == uplink.cameras.end()) {
            return Error{where + ": \"" + id + "\" is not among this hub's \"cameras\""};
        }
    }
    return {};
}

/// What goes plain over a network can be read on the way, the token first of all.
Result<void> checkSafety(const uplink::HubUrl& hub, bool insecure) {
    if (hub.secure || insecure || hub.host == "localhost" || uplink::isLoopback(hub.host)) return {};
    return Error{concat("whoever is on the way could read the token and the video: use wss://, or set ",
                        "\"insecure\": true in this uplink to dial ", hub.shown, " all the same")};
}

Result<std::vector<uplink::HubUrl>> readHubs(const JsonValue& item, const std::string& where) {
    std::vector<std::string> urls = textsAt(item, "urls");
    const bool one = memberOf(item, "url") != nullptr;
    if (one == !urls.empty()) return Error{where + ": needs either \"url\" or \"urls\""};
    if (one) urls = {textAt(item, "url", {})};
    std::vector<uplink::HubUrl> hubs;
    for (std::size_t i = 0; i < urls.size(); ++i) {
        auto hub = uplink::parseHubUrl(urls[i]);
        const std::string here = one ? where + "/url" : concat(where, "/urls/", i);
        if (!hub) return hub.error().within(here);
        if (auto safe = checkSafety(*hub, flagAt(item, "insecure", false)); !safe) {
            return safe.error().within(here);
        }
        hubs.push_back(*std::move(hub));
    }
    return hubs;
}

/// As those who sell plans count.
constexpr std::uint64_t kMegabyte = 1'000'000;

/// What its connections are called in statuses and metrics.
std::vector<std::string> connectionNames(const UplinkConfig& uplink) {
    using uplink::Purpose;
    std::vector<std::string> names;
    const auto purposes =
        uplink.separateEvents ? std::vector{Purpose::events, Purpose::media} : std::vector{Purpose::all};
    for (const Purpose purpose : purposes) {
        names.push_back(uplink::UplinkStatus{.name = uplink.name, .purpose = purpose}.id());
    }
    return names;
}

/// The certificate that the box shows, and the proxy.
Result<void> readWay(const JsonValue& item, const std::string& folder, const std::string& where,
                     UplinkConfig& uplink) {
    uplink.tls.certificateFile = absolute(textAt(item, "client_cert_file", {}), folder);
    uplink.tls.keyFile = absolute(textAt(item, "client_key_file", {}), folder);
    if (uplink.tls.certificateFile.empty() != uplink.tls.keyFile.empty()) {
        return Error{where + ": \"client_cert_file\" and \"client_key_file\" go together"};
    }
    if (memberOf(item, "proxy") == nullptr) return {};
    auto proxy = uplink::parseProxyUrl(textAt(item, "proxy", {}));
    if (!proxy) return proxy.error().within(where + "/proxy");
    uplink.proxy = *std::move(proxy);
    // Even a hub of this machine is then reached by way of another.
    const bool plain = !std::ranges::all_of(uplink.hubs, &uplink::HubUrl::secure);
    if (plain && !flagAt(item, "insecure", false)) {
        return Error{where +
                     "/proxy: whoever is on the way could read along: use wss:// hubs, or set "
                     "\"insecure\": true"};
    }
    return {};
}

Result<void> readUplinks(const JsonValue& list, const std::string& folder, Config& config) {
    std::set<std::string> names;
    for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
        const JsonValue& item = list[i];
        auto hubs = readHubs(item, concat("/uplinks/", i));
        if (!hubs) return hubs.error();
        UplinkConfig uplink{.name = textAt(item, "name", hubs->front().shown),
                            .hubs = *std::move(hubs),
                            .separateEvents = flagAt(item, "separate_events", false),
                            .token = textAt(item, "token", {}),
                            .tokenFile = findSecret(textAt(item, "token_file", {}), folder),
                            .start = textsAt(item, "start"),
                            .role = *uplink::roleNamed(textAt(item, "role", "operator")),
                            .cameras = textsAt(item, "cameras"),
                            .caFile = absolute(textAt(item, "ca_file", {}), folder),
                            .longestWait = std::chrono::seconds(integerAt(item, "max_retry_s", 60)),
                            .maxKbps = integerAt(item, "max_kbps", 0)};
        if (item.HasMember("video_wait_ms"))
            uplink.videoWait = std::chrono::milliseconds(integerAt(item, "video_wait_ms", 0));
        uplink.monthlyBytes = kMegabyte * static_cast<std::uint64_t>(integerAt(item, "monthly_mb", 0));
        if (auto read = readWay(item, folder, concat("/uplinks/", i), uplink); !read) return read;
        if (uplink.token.empty() == uplink.tokenFile.empty()) {
            return Error{concat("/uplinks/", i, ": needs either \"token\" or \"token_file\"")};
        }
        for (const std::string& name : connectionNames(uplink)) {
            if (names.insert(name).second) continue;
            return Error{place("uplinks", i, "name") + ": \"" + name +
                         "\" is another uplink too; give each a name of its own"};
        }
        if (auto known = checkCameraNames(uplink.start, config, place("uplinks", i, "start")); !known)
            return known;
        if (auto known = checkCameraNames(uplink.cameras, config, place("uplinks", i, "cameras")); !known)
            return known;
        if (auto may = checkStarts(uplink, place("uplinks", i, "start")); !may) return may;
        config.uplinks.push_back(std::move(uplink));
    }
    return {};
}

void readJournal(const JsonValue& object, JournalConfig& journal) {
    journal.maxBytes = std::int64_t{integerAt(object, "max_mb", 64)} << 20;
    journal.maxAge = Microseconds(static_cast<std::int64_t>(numberAt(object, "max_days", 7) * 24 * 3600e6));
}

capture::IdleDecode idleDecodeNamed(const std::string& name) {
    if (name == "full") return capture::IdleDecode::full;
    return name == "key_frames" ? capture::IdleDecode::keyFrames : capture::IdleDecode::automatic;
}

void readVision(const JsonValue& object, const std::string& folder, VisionConfig& vision) {
    vision.model = absolute(textAt(object, "model", {}), folder);
    vision.rateHz = numberAt(object, "rate_hz", vision.rateHz);
    vision.inputSize = {integerAt(object, "width", 640), integerAt(object, "height", 360)};
    vision.minConfidence = static_cast<float>(numberAt(object, "min_confidence", 0.6));
    vision.snapshotBytes = static_cast<std::size_t>(integerAt(object, "snapshot_bytes", 8192));
    vision.processorBudget = integerAt(object, "cpu_budget_percent", 0) / 100.0;
    vision.idleDecode = idleDecodeNamed(textAt(object, "idle_decode", "auto"));
}

}  // namespace

capture::PictureLimits usualPictureLimits(capture::SourceKind kind) {
    const bool sensor = kind == capture::SourceKind::v4l2 || kind == capture::SourceKind::rtsp;
    const Microseconds limit = std::chrono::seconds(sensor ? 10 : 0);
    return {.frozenAfter = limit, .blackAfter = limit};
}

Result<Config> parseConfig(std::string_view text, const std::string& folder) {
    auto document = parseJson(text, JsonDialect::withComments);
    if (!document) return document.error();
    auto schema = JsonSchema::parse(configSchema());
    if (!schema) return schema.error();
    if (auto valid = schema->check(*document); !valid) return valid.error();

    Config config;
    config.agentId = textAt(*document, "agent_id", boxId());
    config.dataDir = absolute(textAt(*document, "data_dir", usualDataDir()), folder);
    config.logLevel = levelNamed(textAt(*document, "log_level", "info"));
    const JsonValue* cameras = memberOf(*document, "cameras");
    config.findCameras = cameras == nullptr;
    if (cameras != nullptr) {
        if (auto read = readCameras(*cameras, folder, config); !read) return read.error();
    }
    if (const JsonValue* vision = memberOf(*document, "vision")) {
        readVision(*vision, folder, config.vision);
    }
    if (const JsonValue* server = memberOf(*document, "server")) {
        if (auto read = readServer(*server, folder, config); !read) return read.error();
    }
    if (const JsonValue* journal = memberOf(*document, "journal")) readJournal(*journal, config.journal);
    if (const JsonValue* uplinks = memberOf(*document, "uplinks")) {
        if (auto read = readUplinks(*uplinks, folder, config); !read) return read.error();
    }
    return config;
}

Result<std::string> readConfigText(const std::string& path) {
    if (path.empty()) return std::string("{}");
    std::error_code trouble;
    if (!fs::is_regular_file(path, trouble)) return Error{trouble ? trouble.message() : "not a file"};
    if (fs::file_size(path, trouble) > (1U << 20)) return Error{"larger than 1 MB: not a config"};
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return Error{"cannot be read"};
    return std::move(text).str();
}

std::string folderOf(const std::string& path) {
    return path.empty() ? "/" : fs::absolute(path).parent_path().string();
}

Result<Config> loadConfig(const std::string& path) {
    const auto text = readConfigText(path);
    return text ? parseConfig(*text, folderOf(path)) : text.error();
}

}  // namespace edgecam::agent
