// Turns: who is served next, where one serves many. Pure; it knows neither who they are nor what they get.
#pragma once

#include <algorithm>
#include <vector>

namespace edgecam::vision {

/// A line. Of those that want something the one that was served the longest ago is next, and who has been
/// served stands behind all others. So nobody who wants something waits for more than one turn of each of
/// the others, however much more often those want something; and what one does not take the others may.
/// Not thread-safe.
template <class Who>
class Turns {
  public:
    /// Behind all others: who comes and goes does not get ahead by it.
    void join(Who* who) { line_.push_back(who); }
    void leave(Who* who) { std::erase(line_, who); }

    /// Whose turn it is; nullptr: nobody wants one. `wants`: asked of some or all, in the order of the line.
    template <class Wants>
    [[nodiscard]] Who* next(Wants wants) {
        const auto first = std::find_if(line_.begin(), line_.end(), wants);
        if (first == line_.end()) return nullptr;
        std::rotate(first, first + 1, line_.end());
        return line_.back();
    }

    /// All, the one to be served next first.
    [[nodiscard]] const std::vector<Who*>& line() const { return line_; }

  private:
    std::vector<Who*> line_;
};

}  // namespace edgecam::vision
