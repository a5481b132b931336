#include "capture/seating.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::capture {
namespace {

/// A group so short may be sent again at once; where none begins for so long, a longer one.
constexpr std::size_t kFewPictures = 6;
constexpr Microseconds kGroupWithin = std::chrono::seconds(5);

/// Whether the seat goes on giving pictures to who asked for that, although another would be better.
bool servesStill(const Seat& seat, StreamRequest request, const CameraFacts& known) {
    if (seat.place == Place::encoded) return true;
    if (seat.place == Place::sub) return known.sub.standing == SubStream::Standing::live;
    request.wish.encoded = false;
    return seat.place == Place::passthrough && placeFor(request, known) == Place::passthrough;
}

RenditionKind kindOf(const Seat& seat) {
    switch (seat.place) {
        case Place::passthrough:
            return RenditionKind::passthrough;
        case Place::sub:
            return RenditionKind::sub;
        case Place::jpeg:
            return RenditionKind::jpeg;
        case Place::encoded:
        case Place::none:
            break;
    }
    return RenditionKind::encoded;
}

/// Right behind a key frame; who moves because of a thin link should not be sent two seconds of pictures at
/// once.
bool mayJoin(const ChunkStream& stream, bool waitedLong) {
    const std::size_t pictures = stream.cachedPictures();
    return pictures > 0 && (pictures <= kFewPictures || waitedLong);
}

}  // namespace

class SeatLease final : public StreamLease {
  public:
    SeatLease(Seating& seating, StreamRequest request) : seating_(seating), request_(std::move(request)) {}
    ~SeatLease() override { seating_.leave(this); }
    SeatLease(const SeatLease&) = delete;
    SeatLease& operator=(const SeatLease&) = delete;

    [[nodiscard]] RenditionId rendition() const override;
    void join(const std::function<void(const Backlog&)>& join) override;
    void requestKeyFrame() override;
    [[nodiscard]] RenditionKind kind() const override { return kindOf(seat_); }
    [[nodiscard]] RenditionKind goal() const override { return kindOf(goalSeat()); }
    void whenMoved(std::function<void()> moved) override { moved_ = std::move(moved); }
    void wish(const StreamWish& wish) override;
    [[nodiscard]] std::optional<EncoderSettings> aim() const override;

    [[nodiscard]] const StreamRequest& request() const { return request_; }
    [[nodiscard]] const Seat& seat() const { return seat_; }
    /// Where it is to be: where it is, or where it goes once there is a picture.
    [[nodiscard]] const Seat& goalSeat() const { return next_ ? *next_ : seat_; }
    [[nodiscard]] bool isAt(const Seat& seat) const { return seat_ == seat || goalSeat() == seat; }
    void settleAt(Seat seat) {
        seat_ = seat;
        next_.reset();
    }
    void goTo(Seat seat, Monotonic now) {
        if (next_ != seat) since_ = now;
        next_ = seat;
    }
    [[nodiscard]] Place place(const CameraFacts& known) const {
        return placeFor(request_, known, goalSeat().place == Place::sub);
    }
    [[nodiscard]] bool waitsFor(const Seat& seat, Microseconds span, Monotonic now) const {
        return next_ == seat && now - since_ >= span;
    }
    void tellMoved() const {
        if (moved_) moved_();
    }

  private:
    Seating& seating_;
    StreamRequest request_;
    Seat seat_;
    std::optional<Seat> next_;
    Monotonic since_;  ///< when it was to go there
    std::function<void()> moved_;
};

RenditionId SeatLease::rendition() const {
    const ChunkStream* stream = seating_.renditions_.at(seat_);
    return stream ? stream->id() : 0;
}

void SeatLease::join(const std::function<void(const Backlog&)>& join) {
    if (const ChunkStream* stream = seating_.renditions_.at(seat_)) {
        stream->join([&](const Backlog& backlog, const auto&) { join(backlog); });
    } else {
        join(Backlog{});
    }
}

void SeatLease::requestKeyFrame() {
    if (seat_.place == Place::encoded) {
        seating_.renditions_.encodes.at(seat_.slot).encoder().requestKeyFrame();
    }
}

void SeatLease::wish(const StreamWish& wish) {
    if (wish == request_.wish) return;
    request_.wish = wish;
    seating_.callbacks_.changed();
}

std::optional<EncoderSettings> SeatLease::aim() const {
    if (goalSeat().place != Place::encoded) return std::nullopt;
    const auto& inForce = seating_.renditions_.encodes.aim(goalSeat().slot);
    return fitted(inForce.value_or(request_.wish.settings), seating_.callbacks_.facts().main);
}

ChunkStream* Renditions::at(const Seat& seat) const {
    switch (seat.place) {
        case Place::passthrough:
            return &passthrough;
        case Place::sub:
            return sub;
        case Place::encoded:
            return &encodes.at(seat.slot).stream();
        case Place::jpeg:
            return &jpeg.stream();
        case Place::none:
            return nullptr;
    }
    return nullptr;
}

Seating::Seating(Renditions renditions, const Clock& clock, Callbacks callbacks)
    : renditions_(renditions), clock_(clock), callbacks_(std::move(callbacks)) {}

Result<std::unique_ptr<StreamLease>> Seating::open(const StreamRequest& request) {
    const CameraFacts known = callbacks_.facts();
    if (placeFor(request, known) == Place::none)
        return Error{"the camera has no codec in common with this consumer, and none can be made"};
    auto lease = std::make_unique<SeatLease>(*this, request);
    leases_.push_back(lease.get());
    lease->settleAt(seatsFor(known).back());
    callbacks_.changed();
    return std::unique_ptr<StreamLease>(std::move(lease));
}

void Seating::leave(const SeatLease* lease) {
    std::erase(leases_, lease);
    callbacks_.left();
}

void Seating::settle() {
    const CameraFacts known = callbacks_.facts();
    const std::vector<Seat> seats = seatsFor(known);
    std::vector<SeatLease*> moved;
    for (std::size_t index = 0; index < seats.size(); ++index) {
        SeatLease* lease = leases_[index];
        const Seat& seat = seats[index];
        const ChunkStream* stream = renditions_.at(seat);
        if (seat == lease->seat()) {
            lease->settleAt(seat);
        } else if (stream && servesStill(lease->seat(), lease->request(), known) &&
                   !mayJoin(*stream, lease->waitsFor(seat, kGroupWithin, clock_.monotonic()))) {
            lease->goTo(seat, clock_.monotonic());
        } else {
            lease->settleAt(seat);
            moved.push_back(lease);
        }
    }
    for (SeatLease* lease : moved) {
        // One that was told before may have let go of another.
        if (std::ranges::find(leases_, lease) != leases_.end()) lease->tellMoved();
    }
}

/// Where each lease is to be, in their order; tunes the encodes for them.
std::vector<Seat> Seating::seatsFor(const CameraFacts& known) {
    std::vector<Seat> seats;
    std::vector<RenditionWish> wishes;
    for (const SeatLease* lease : leases_) {
        const StreamRequest& request = lease->request();
        seats.push_back({lease->place(known), 0});
        if (seats.back().place != Place::encoded) continue;
        const Seat& now = lease->goalSeat();
        wishes.push_back({bounded(request.wish.settings), request.wish.rank,
                          now.place == Place::encoded ? std::optional(now.slot) : std::nullopt});
    }
    const std::vector<std::size_t> slots = renditions_.encodes.plan(wishes);
    auto next = slots.begin();
    for (Seat& seat : seats) {
        if (seat.place == Place::encoded) seat.slot = *next++;
    }
    return seats;
}

bool Seating::wantsSub() const {
    CameraFacts known = callbacks_.facts();
    if (known.sub.standing == SubStream::Standing::absent) return false;
    known.sub.standing = SubStream::Standing::awaited;
    return std::ranges::any_of(leases_,
                               [&](const SeatLease* lease) { return lease->place(known) == Place::sub; });
}

bool Seating::held(const Seat& seat) const {
    return std::ranges::any_of(leases_, [&](const SeatLease* lease) { return lease->isAt(seat); });
}

std::shared_ptr<LinkGate> Seating::gateOf(const Seat& seat) const {
    std::shared_ptr<LinkGate> gate;
    int served = 0;
    for (const SeatLease* lease : leases_) {
        if (!lease->isAt(seat)) continue;
        gate = lease->request().wish.gate;
        ++served;
    }
    return served == 1 ? gate : nullptr;
}

}  // namespace edgecam::capture
