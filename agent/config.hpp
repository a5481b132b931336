// Config: what the box was told to be. One JSON file with comments, checked against the schema that is built
// in (agent/config.schema.json, also installed), then read into plain values with every default filled in. It
// opens no device and no socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "capture/camera.hpp"
#include "capture/encoder_settings.hpp"
#include "capture/picture_health.hpp"
#include "capture/source_uri.hpp"
#include "uplink/access.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/proxy_url.hpp"
#include "uplink/tls_settings.hpp"
#include "vision/scene_rules.hpp"

namespace edgecam::agent {

struct CameraConfig {
    std::string id;
    capture::SourceUri source;
    std::optional<capture::SourceUri> substream;  ///< only beside an RTSP source
    bool enabled = true;
    bool vision = true;
    capture::EncoderSettings encoder;
    int maxRenditions = 2;
    capture::PictureLimits pictures;  ///< when they are held to be frozen or black
    vision::SceneRules scene;
    bool operator==(const CameraConfig&) const = default;
};

struct VisionConfig {
    std::string model;  ///< absolute; empty: search
    double rateHz = 10;
    Size inputSize{640, 360};
    float minConfidence = 0.6F;
    std::size_t snapshotBytes = 8192;  ///< of a face's JPEG, at most; 0: none is made
    double processorBudget = 0;        ///< cores for the whole agent; 0: no limit
    capture::IdleDecode idleDecode = capture::IdleDecode::automatic;
    bool operator==(const VisionConfig&) const = default;
};

struct TokenConfig {
    std::string name;                        ///< for logs and lists
    std::optional<uplink::TokenHash> token;  ///< nothing: it is in `file`
    std::string file;                        ///< absolute; each line a token or its hash
    uplink::Role role = uplink::Role::viewer;
    std::vector<std::string> cameras;
    bool operator==(const TokenConfig&) const = default;
};

/// Who may sign tokens, and for what.
struct TokenKeyConfig {
    std::string name;
    std::string publicKeyFile;  ///< absolute
    std::string audience;
    std::string issuer;
    uplink::Role most = uplink::Role::viewer;
    std::vector<std::string> cameras;
    Microseconds longest = std::chrono::hours(24);
    bool operator==(const TokenKeyConfig&) const = default;
};

struct ServerConfig {
    bool enabled = true;
    bool ownProcess = false;            ///< where it crashes alone
    std::string address = "127.0.0.1";  ///< numeric, or "*"
    int port = 8080;
    std::vector<TokenConfig> tokens;
    std::vector<TokenKeyConfig> tokenKeys;
    std::vector<std::string> allowedOrigins;
    std::vector<std::string> allowedHosts;
    std::size_t maxConnections = 100;
    std::size_t maxPerAddress = 50;
    std::vector<std::string> trustedProxies;  ///< numeric addresses
    std::size_t maxMessageBytes = 1 << 20;
    Microseconds authWithin = std::chrono::seconds(5);
    std::string webRoot;      ///< absolute; empty: search
    uplink::ServerTls tls;    ///< absolute; without files: see selfSigned
    bool selfSigned = false;  ///< TLS with a certificate of the box's own making

    [[nodiscard]] bool secure() const { return selfSigned || tls.enabled(); }
    /// Nobody was named: the agent makes a token of its own.
    [[nodiscard]] bool makesToken() const { return tokens.empty() && tokenKeys.empty(); }
};

struct JournalConfig {
    std::int64_t maxBytes = 64 << 20;
    Microseconds maxAge = std::chrono::hours(24 * 7);
};

struct UplinkConfig {
    std::string name;                  ///< unique; what the journal knows it by
    std::vector<uplink::HubUrl> hubs;  ///< at least one
    bool separateEvents = false;       ///< events have a connection of their own
    std::string token;                 ///< empty: it is in tokenFile
    std::string tokenFile;             ///< absolute
    std::vector<std::string> start;
    uplink::Role role = uplink::Role::operator_;
    std::vector<std::string> cameras;
    std::string caFile;     ///< absolute; empty: the system's
    uplink::ClientTls tls;  ///< absolute; empty: none
    std::optional<uplink::ProxyUrl> proxy;
    Microseconds longestWait = std::chrono::seconds(60);  ///< between tries
    int maxKbps = 0;                                      ///< of video; 0: as much as the link carries
    std::optional<Microseconds> videoWait;                ///< of a picture for the link; see RateTuning
    std::uint64_t monthlyBytes = 0;                       ///< of a metered link; 0: it is none
    bool operator==(const UplinkConfig&) const = default;
};

struct Config {
    std::string agentId;
    std::string dataDir;  ///< absolute
    LogLevel logLevel = LogLevel::info;
    std::vector<CameraConfig> cameras;
    bool findCameras = false;  ///< the config names none: all that are there, see found_cameras.hpp
    VisionConfig vision;
    ServerConfig server;
    std::vector<UplinkConfig> uplinks;
    JournalConfig journal;
};

/// Frozen and black pictures are looked for where they come from a sensor, whose noise differs from one to
/// the next. What is drawn, or a file, may stand still.
capture::PictureLimits usualPictureLimits(capture::SourceKind kind);

/// Every error found names its place first, as a JSON pointer: "/cameras/0/source: …". `folder`: what
/// relative paths count from.
Result<Config> parseConfig(std::string_view text, const std::string& folder);

/// A config file's text, at most 1 MB; without a path, that of a config that says nothing. The error does not
/// repeat the path.
Result<std::string> readConfigText(const std::string& path);
/// What relative paths in the config of that file count from.
std::string folderOf(const std::string& path);
/// Reads the file and parses it, as readConfigText(). The error does not repeat the path.
Result<Config> loadConfig(const std::string& path);

/// The JSON Schema text that configs are held against.
std::string_view configSchema();

}  // namespace edgecam::agent
