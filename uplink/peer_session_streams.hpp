// VideoStreams: which streams one peer follows, what is known of each, and how their chunks get into its
// lanes. Knows no JSON and no command; part of PeerSession.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bitrate_meter.hpp"
#include "base/clock.hpp"
#include "base/media.hpp"
#include "uplink/command.hpp"
#include "uplink/lane_queue.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::uplink {

/// One camera in one form, wished for by this peer.
struct VideoStream {
    std::string cameraId;
    StreamForm form = StreamForm::cmaf;
    TicketId wish = 0;      ///< the start whose grant counts; an older one's comes too late
    StartStream asked;      ///< by that start, or by one that waits until the link's plan allows it
    bool attached = false;  ///< whether a grant came, and `rendition` means something
    RenditionId rendition = 0;
    std::optional<std::uint16_t> channel;
    std::shared_ptr<const StreamFormat> format;
    std::string quality;
    int targetKbps = 0;
    std::optional<Utc> liveFrom;
    std::string trouble;  ///< why nothing flows although it was granted

    Monotonic grantedAt;
    std::optional<Monotonic> keyAskedAt;
    BitrateMeter meter;
    int reportedKbps = 0;
    Monotonic reportedAt;

    SharedBytes init;                  ///< the last one sent
    std::set<std::uint32_t> replayed;  ///< pictures of the backlog, until live ones came that were not in it
};

/// Not thread-safe. References to streams stay valid until they end.
class VideoStreams {
  public:
    VideoStreams(LaneQueue& lanes, std::size_t partBytes) : lanes_(lanes), partBytes_(partBytes) {}

    /// Lets what was granted go, but keeps the wish: nothing is attached, and no grant on its way counts.
    void detach(VideoStream& stream);

    /// Of the chunks of later backlogs.
    void setPartBytes(std::size_t bytes) { partBytes_ = bytes; }

    /// The stream, made if need be, with `ticket` as the wish that counts.
    VideoStream& wish(const std::string& cameraId, StreamForm form, TicketId ticket);
    VideoStream* find(const std::string& cameraId, StreamForm form);
    [[nodiscard]] std::vector<const VideoStream*> of(const std::string& cameraId) const;
    [[nodiscard]] bool follows(RenditionId rendition) const;
    std::list<VideoStream>& all() { return streams_; }

    /// Lets the stream follow what was granted and queues the backlog. A grant of what it follows already
    /// and without backlog changes only what is in force. False: the peer does not read (LaneQueue).
    bool attach(VideoStream& stream, const StreamGrant& grant, Monotonic now);

    /// What became of a live chunk.
    struct Delivery {
        bool room = true;                 ///< false: the peer does not read
        VideoStream* announce = nullptr;  ///< a stream whose channel or format is new
    };
    Delivery deliver(const WireChunk& chunk, Monotonic now);

    /// Ends the streams of a camera in that form, or in every form, and forgets what waits of them.
    /// Returns the renditions they followed, and whether there were any streams.
    struct Ended {
        bool any = false;
        std::vector<RenditionId> renditions;
    };
    Ended end(const std::string& cameraId, std::optional<StreamForm> form);

    /// The camera of a channel that was announced here; empty: none.
    [[nodiscard]] std::string cameraOf(std::uint16_t channel) const;

  private:
    bool push(VideoStream& stream, const WireChunk& chunk, Monotonic now);
    void learn(VideoStream& stream, const Chunk& chunk);

    LaneQueue& lanes_;
    std::size_t partBytes_;
    std::list<VideoStream> streams_;
    std::map<std::uint16_t, std::string> channelCameras_;
};

}  // namespace edgecam::uplink
