// DurableFeed: where a consumer stands in the journal during one connection: what to read next, what was
// sent, what it has for sure. Pure bookkeeping: it knows no message and no socket.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/command.hpp"
#include "uplink/journal.hpp"

namespace edgecam::uplink {

/// How a session reaches the journal: it asks and never waits. One for each consumer; implemented by the
/// agent, called on service threads, must not block.
class JournalLine {
  public:
    virtual ~JournalLine() = default;
    /// The records after `after`, or after where the consumer stands on disk. Answered by
    /// PeerExchange::deliver.
    virtual void read(SessionId session, std::optional<std::int64_t> after) = 0;
    /// The snapshot of one record. Answered by PeerExchange::deliver.
    virtual void readSnapshot(SessionId session, std::int64_t seq) = 0;
    /// The consumer has everything up to `seq`.
    virtual void passed(const std::string& journal, std::int64_t seq) = 0;
};

/// When the journal committed what, as far back as it is remembered. Not thread-safe.
class CommitTimes {
  public:
    static constexpr std::size_t kRemembered = 4096;  ///< commits

    /// The newest committed record is another one since `at`, or the journal is. What was in a journal when
    /// it was first heard of was committed at no known time.
    void moved(const std::string& journal, std::int64_t newest, Monotonic at);
    /// When the record was committed; nothing: before it is remembered, or never.
    [[nodiscard]] std::optional<Monotonic> of(std::int64_t seq) const;

  private:
    struct Commit {
        std::int64_t newest = 0;
        Monotonic at;
    };
    std::string journal_;
    std::int64_t knownFrom_ = 0;  ///< what lies behind it
    std::deque<Commit> commits_;  ///< in order
};

/// Not thread-safe.
class DurableFeed {
  public:
    /// A consumer that acknowledges nothing gets so many events again after a reconnect: the last ones TCP
    /// acknowledged may have died with the hub's process.
    static constexpr std::size_t kSentAgain = 64;
    /// So far behind, what is sent is old news, and live video may go before it.
    static constexpr std::int64_t kOldNews = 64;

    /// `acked`: what an acknowledging consumer says it has of this journal; nothing: it does not know it, and
    /// goes on from where it stands on disk.
    void begin(std::string journal, std::int64_t newest, bool acknowledges,
               std::optional<std::int64_t> acked);
    [[nodiscard]] bool begun() const { return !journal_.empty(); }
    [[nodiscard]] bool acknowledges() const { return acknowledges_; }
    [[nodiscard]] const std::string& journal() const { return journal_; }

    /// The newest committed record.
    void learned(std::int64_t newest) { newest_ = newest; }
    /// Whether something is to be read now. One read is under way at a time.
    [[nodiscard]] bool wantsToRead() const;
    /// What to read after; nothing: after the consumer's place on disk. Counts as under way until arrived().
    std::optional<std::int64_t> read();
    void failedToRead() { reading_ = false; }
    /// A page has come; its records are told one by one by sends() or skips().
    void arrived(const JournalPage& page);
    /// Whether what is sent next is far behind the newest.
    [[nodiscard]] bool farBehind() const { return newest_ - cursor_.value_or(0) > kOldNews; }

    /// The record goes out. Returns `prev_seq`: the one sent before it to this consumer.
    std::int64_t sends(std::int64_t seq);
    /// The record is not for this consumer.
    void skips(std::int64_t seq) { cursor_ = seq; }
    /// The part of a gap that lies behind what the consumer has, as it is told.
    [[nodiscard]] Gap clipped(Gap gap) const;

    /// `ack`. Returns what it acknowledges and none before it did; an error says what is wrong with it and
    /// changes nothing.
    Result<std::vector<std::int64_t>> acked(const std::string& journal, std::int64_t seq);
    /// TCP acknowledged it, to a consumer that does not.
    void delivered(std::int64_t seq);
    /// Something of this record follows later, to a consumer that does not acknowledge: it counts as settled
    /// only when that is delivered too. In order of seq.
    void holds(std::int64_t seq) { held_.push_back(seq); }
    void releases(std::int64_t seq);

    /// What the journal is to be told, when that has moved since the last call.
    std::optional<std::int64_t> takePosition();

  private:
    void settle(std::int64_t seq);
    void moveOn();

    std::string journal_;
    bool acknowledges_ = false;
    bool reading_ = false;
    std::int64_t newest_ = 0;
    std::optional<std::int64_t> cursor_;  ///< last record dealt with; nothing until the first page has come
    std::int64_t lastSent_ = 0;
    std::deque<std::int64_t> outstanding_;  ///< sent and not settled
    std::deque<std::int64_t> settled_;      ///< of a consumer that does not acknowledge: held back
    std::deque<std::int64_t> held_;
    std::int64_t position_ = 0;
    std::int64_t told_ = 0;
};

}  // namespace edgecam::uplink
