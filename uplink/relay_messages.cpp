#include "uplink/relay_messages.hpp"

#include <utility>

#include "base/archive.hpp"

// Each function names the members of its struct, in order, for both ways: a member that is missing here is
// missing on the other side. They stand in the namespaces of their structs, where they are looked for.

namespace edgecam {

template <class A>
void fields(A& a, Size& x) {
    a(x.width, x.height);
}
template <class A>
void fields(A& a, PointNorm& x) {
    a(x.x, x.y);
}
template <class A>
void fields(A& a, RectNorm& x) {
    a(x.x, x.y, x.width, x.height);
}
template <class A, class Bounds>
void fields(A& a, Durations<Bounds>& x) {
    a(x.counts, x.sum);
}
template <class A>
void fields(A& a, PictureDelays& x) {
    a(x.coded, x.muxed);
}
template <class A>
void fields(A& a, StreamFormat& x) {
    a(x.codec, x.codecString, x.mime, x.size, x.frameRate, x.kind, x.encoder);
}
template <class A>
void fields(A& a, Chunk& x) {
    a(x.rendition, x.channel, x.kind, x.keyFrame, x.discontinuity, x.sequence, x.captureTime, x.payload,
      x.format, x.madeAt);
}
template <class A>
void fields(A& a, Backlog& x) {
    a(x.chunks, x.liveFrom);
}
template <class A>
void fields(A& a, Analysis& x) {
    a(x.rateHz, x.size, x.reason);
}
template <class A>
void fields(A& a, CameraStatus& x) {
    a(x.cameraId, x.state, x.reason, x.warning, x.size, x.frameRate, x.detector, x.analysis, x.restarts);
}
template <class A>
void fields(A& a, Face& x) {
    a(x.box, x.confidence, x.landmarks);
}
template <class A>
void fields(A& a, FrameRef& x) {
    a(x.sequence, x.captureTime, x.size);
}
template <class A>
void fields(A& a, TrackedFace& x) {
    a(x.trackId, x.face);
}
template <class A>
void fields(A& a, Detections& x) {
    a(x.cameraId, x.frame, x.faces);
}
template <class A>
void fields(A& a, BestShot& x) {
    a(x.quality, x.frame, x.box);
}
template <class A>
void fields(A& a, Snapshot& x) {
    a(x.size, x.bytes, x.jpeg);
}
template <class A>
void fields(A& a, PathPoint& x) {
    a(x.centre, x.since);
}
template <class A>
void fields(A& a, FaceEvent& x) {
    a(x.eventId, x.cameraId, x.phase, x.trackId, x.timestamp, x.clockSynced, x.firstSeen, x.lastSeen, x.face,
      x.frame, x.quality, x.zones, x.zonesEntered, x.zonesLeft, x.best, x.snapshot, x.path);
}

namespace uplink {
namespace {

// As text, since a hash can be nothing else than one.
void writeHash(ArchiveWriter& a, const TokenHash& hash) {
    std::string text = hash.text();
    a(text);
}
TokenHash readHash(ArchiveReader& a) {
    std::string text;
    a(text);
    const auto hash = TokenHash::parse(text);
    if (!hash) a.refuse();
    // What was refused is thrown away; until then it is a hash that fits nothing.
    return hash ? *hash : TokenHash();
}

}  // namespace

void fields(ArchiveWriter& a, std::optional<TokenHash>& x) {
    bool present = x.has_value();
    a(present);
    if (x) writeHash(a, *x);
}
void fields(ArchiveReader& a, std::optional<TokenHash>& x) {
    bool present = false;
    a(present);
    x = present ? std::optional(readHash(a)) : std::nullopt;
}

template <class A>
void fields(A& a, JournalStatus& x) {
    a(x.ok, x.trouble, x.journal, x.newest, x.records, x.bytes, x.committed, x.discarded, x.unstored,
      x.commits, x.setAside);
}
template <class A>
void fields(A& a, UplinkStatus& x) {
    a(x.name, x.purpose, x.url, x.state, x.reason, x.attempts, x.retryIn, x.retryAt);
}
template <class A>
void fields(A& a, FaceFigures& x) {
    a(x.present, x.lastMinute, x.entered, x.left, x.dwell);
}
template <class A>
void fields(A& a, CameraFigures& x) {
    a(x.pictures, x.decoding, x.subDecoding, x.decoderDrops, x.encoderDrops, x.decoderFailures,
      x.encoderFailures, x.analysed, x.skipped, x.still, x.failed, x.lastAnalysis, x.analysisWork, x.events,
      x.faces, x.zones, x.passthroughDelays, x.encodedDelays, x.jpegDelays, x.subDelays);
}
template <class A>
void fields(A& a, ProcessFigures& x) {
    a(x.residentBytes, x.anonymousBytes, x.cpuSeconds, x.threads, x.descriptors);
}
template <class A>
void fields(A& a, PlanFigures& x) {
    a(x.monthlyBytes, x.usedBytes, x.state, x.until);
}
template <class A>
void fields(A& a, AgentFigures& x) {
    a(x.cameras, x.process, x.journal, x.plans);
}
template <class A>
void fields(A& a, AgentView& x) {
    a(x.agentId, x.version, x.instance, x.startedAt, x.cameras, x.liveFaces, x.journal, x.journalNewest,
      x.uplinks, x.figures, x.ownUplink);
}
template <class A>
void fields(A& a, LaneUse& x) {
    a(x.depth, x.bytes, x.age, x.dropped);
}
template <class A>
void fields(A& a, Traffic& x) {
    a(x.bytesIn, x.bytesOut, x.messagesIn, x.messagesOut);
}
template <class A>
void fields(A& a, VideoDelays& x) {
    a(x.queue, x.socket);
}
template <class A>
void fields(A& a, LinkFigures& x) {
    a(x.targetKbps, x.state, x.isLimit, x.carriedKbps, x.delay, x.roundTrip, x.receiverLimited, x.ackDelay);
}
template <class A>
void fields(A& a, ServiceFigures& x) {
    a(x.peers, x.lanes, x.traffic, x.errors, x.video, x.eventAcks, x.mediaAcks, x.link);
}
template <class A>
void fields(A& a, DropNotice& x) {
    a(x.channel, x.fromSequence, x.toSequence, x.frames, x.bytes);
}
template <class A>
void fields(A& a, CloseWish& x) {
    a(x.code, x.reason);
}
template <class A>
void fields(A& a, Grant& x) {
    a(x.role, x.cameras, x.name);
    fields(a, x.token);
    a(x.endsAt, x.key, x.made);
}
template <class A>
void fields(A& a, SessionUse& x) {
    a(x.bytesIn, x.bytesOut, x.messagesIn, x.messagesOut, x.commands);
}
template <class A>
void fields(A& a, SessionEntry& x) {
    a(x.id, x.grant, x.address, x.uplink, x.instance, x.purpose, x.since, x.sinceMonotonic, x.use);
}

template <class A>
void fields(A& a, StartStream& x) {
    a(x.form, x.codecs);
}
template <class A>
void fields(A& a, StopStream& x) {
    a(x.form);
}
template <class A>
void fields(A& a, SetQuality& x) {
    a(x.mode, x.bitrateKbps, x.minBitrateKbps, x.maxBitrateKbps, x.width, x.height, x.frameRate, x.forCamera);
}
template <class A>
void fields(A& a, FollowLink& x) {
    a(x.kbps);
}
template <class A>
void fields(A& a, FollowPlan& x) {
    a(x.keyFramesOnly);
}
template <class A>
void fields(A& a, EnableCamera& x) {
    a(x.enabled);
}
template <class A>
void fields(A& a, AskConfig& x) {
    a(x.action, x.candidate, x.trial, x.by);
}
template <class A>
void fields(A& a, AskProbe& x) {
    a(x.source);
}
template <class A>
void fields(A& a, Command& x) {
    a(x.session, x.ticket, x.cameraId, x.action, x.role, x.expiresAt);
}
template <class A>
void fields(A& a, Refusal& x) {
    a(x.code, x.message, x.field);
}
template <class A>
void fields(A& a, StreamGrant& x) {
    a(x.form, x.rendition, x.backlog, x.quality, x.targetBitrateKbps);
}
template <class A>
void fields(A& a, QualityInForce& x) {
    a(x.quality, x.targetBitrateKbps, x.size, x.frameRate);
}
template <class A>
void fields(A& a, SnapshotTaken& x) {
    a(x.jpeg);
}
template <class A>
void fields(A& a, TokenRotated& x) {
    a(x.token, x.oldHoldsFor);
}

template <class A>
void fields(A& a, Report& x) {
    a(x.json);
}
template <class A>
void fields(A& a, ConfigNews& x) {
    a(x.json);
}

template <class A>
void fields(A& a, LaneLimits& x) {
    a(x.answerBytes, x.eventBytes, x.videoBytes, x.videoAge, x.replayBytes, x.lossyBytes, x.bulkBytes);
}
template <class A>
void fields(A& a, SessionLimits& x) {
    a(x.maxMessageBytes, x.authWithin, x.hubAnswerWithin, x.answerWithin, x.partBytes, x.commandsPerSecond,
      x.commandBurst, x.lanes);
}
template <class A>
void fields(A& a, ServerTls& x) {
    a(x.certificateFile, x.keyFile, x.clientCaFile);
}
template <class A>
void fields(A& a, LocalServerSettings& x) {
    a(x.address, x.port, x.tls, x.webRoot, x.allowedOrigins, x.allowedHosts, x.maxConnections,
      x.maxPerAddress, x.trustedProxies, x.session);
}

void fields(ArchiveWriter& a, TokenRule& x) {
    a(x.name);
    writeHash(a, x.token);
    a(x.role, x.cameras, x.made);
}
void fields(ArchiveReader& a, TokenRule& x) {
    a(x.name);
    x.token = readHash(a);
    a(x.role, x.cameras, x.made);
}
void fields(ArchiveWriter& a, Revocation& x) {
    writeHash(a, x.token);
    a(x.until);
}
void fields(ArchiveReader& a, Revocation& x) {
    x.token = readHash(a);
    a(x.until);
}
template <class A>
void fields(A& a, RelayedRules::Key& x) {
    a(x.key.name, x.key.audience, x.key.issuer, x.key.most, x.key.cameras, x.key.longest, x.pem);
}
template <class A>
void fields(A& a, RelayedRules& x) {
    a(x.tokens, x.keys, x.revoked);
}
template <class A>
void fields(A& a, RelaySetup& x) {
    a(x.settings, x.view, x.partBytes, x.rules, x.firstSession);
}
template <class A>
void fields(A& a, RelaySkipped& x) {
    a(x.rendition, x.notice);
}
template <class A>
void fields(A& a, RelayFigures& x) {
    a(x.figures);
}
template <class A>
void fields(A& a, RelayCompletion& x) {
    a(x.session, x.ticket, x.outcome);
}
template <class A>
void fields(A& a, RelayRegrant& x) {
    a(x.session, x.cameraId, x.grant);
}
template <class A>
void fields(A& a, RelayHealth& x) {
    a(x.ok, x.json);
}
template <class A>
void fields(A& a, RelayMetricsPage& x) {
    a(x.number, x.text);
}
template <class A>
void fields(A& a, RelayEndSession& x) {
    a(x.session, x.wish);
}
template <class A>
void fields(A& a, RelayOthers& x) {
    a(x.sessions);
}
template <class A>
void fields(A& a, RelayCameraRemoved& x) {
    a(x.cameraId);
}
template <class A>
void fields(A& a, RelayUplinkRemoved& x) {
    a(x.id);
}
template <class A>
void fields(A& a, RelayLogLevel& x) {
    a(x.least);
}
template <class A>
void fields(A& a, RelayReady& x) {
    a(x.trouble);
}
template <class A>
void fields(A& a, RelaySessionEnded& x) {
    a(x.session);
}
template <class A>
void fields(A& a, RelayRevocation& x) {
    a(x.grant);
}
template <class A>
void fields(A& a, RelayMetricsRequest& x) {
    a(x.number, x.grant);
}
template <class A>
void fields(A& a, RelayDenial& x) {
    a(x.denial);
}
template <class A>
void fields(A& a, RelayUse& x) {
    a(x.figures, x.sessions);
}

namespace {

template <class Message>
ByteBuffer written(const Message& message) {
    ByteBuffer bytes;
    ArchiveWriter writer(bytes);
    writer(message);
    return bytes;
}

template <class Message>
std::optional<Message> read(ByteView bytes) {
    std::optional<Message> message(std::in_place);
    ArchiveReader reader(bytes);
    reader(*message);
    return reader.complete() ? std::move(message) : std::nullopt;
}

}  // namespace

ByteBuffer toBytes(const ToViewers& message) {
    return written(message);
}
ByteBuffer toBytes(const ToAgent& message) {
    return written(message);
}
std::optional<ToViewers> toViewersFrom(ByteView bytes) {
    return read<ToViewers>(bytes);
}
std::optional<ToAgent> toAgentFrom(ByteView bytes) {
    return read<ToAgent>(bytes);
}

std::vector<TokenKey> keysOf(const RelayedRules& rules) {
    std::vector<TokenKey> keys;
    for (const RelayedRules::Key& each : rules.keys) {
        auto read = readPublicKey(each.pem);
        if (!read) continue;
        keys.push_back(each.key);
        keys.back().publicKey = *std::move(read);
    }
    return keys;
}

RelayedRules relayedRules(const AccessRules& rules) {
    RelayedRules relayed{rules.tokens, {}, rules.revoked};
    for (const TokenKey& key : rules.keys) relayed.keys.push_back({key, writePublicKey(*key.publicKey)});
    return relayed;
}

}  // namespace uplink
}  // namespace edgecam
