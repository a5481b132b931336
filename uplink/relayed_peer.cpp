#include "uplink/relayed_peer.hpp"

namespace edgecam::uplink {

void RelayedPeer::complete(TicketId ticket, const Outcome& outcome) {
    say_(RelayCompletion{id_, ticket, outcome});
}

void RelayedPeer::regrant(const std::string& cameraId, const StreamGrant& grant) {
    say_(RelayRegrant{id_, cameraId, grant});
}

void RelayedPeer::cameraChanged(const CameraStatus& status) {
    if (isAll()) say_(status);
}

void RelayedPeer::cameraRemoved(const std::string& cameraId) {
    if (isAll()) say_(RelayCameraRemoved{cameraId});
}

void RelayedPeer::uplinkRemoved(const std::string& id) {
    if (isAll()) say_(RelayUplinkRemoved{id});
}

void RelayedPeer::uplinkChanged(const UplinkStatus& status) {
    if (isAll()) say_(status);
}

void RelayedPeer::figuresChanged() {
    if (isAll() && view_.figures) say_(RelayFigures{*view_.figures});
}

void RelayedPeer::configChanged(const ConfigNews& news) {
    if (isAll()) say_(news);
}

void RelayedPeer::deliver(const WireChunk& chunk) {
    if (isAll()) say_(chunk.chunk);
}

void RelayedPeer::deliver(const FaceEvent& event) {
    if (isAll()) say_(event);
}

void RelayedPeer::deliver(const Detections& detections) {
    if (isAll()) say_(detections);
}

void RelayedPeer::skipped(RenditionId rendition, const DropNotice& notice) {
    if (isAll()) say_(RelaySkipped{rendition, notice});
}

}  // namespace edgecam::uplink
