// The part of a face event that has no columns of its own in the journal: how good its view is, zones, best
// shot, path and which snapshot belongs to it, in one BLOB.
#pragma once

#include "base/bytes.hpp"
#include "base/face.hpp"

namespace edgecam::uplink {

/// Big-endian: quality; zones, zones entered, zones left, each as a count of one byte and per name its length
/// in two bytes and UTF-8; the best shot as 0, or 1 and quality, box (x, y, width, height), sequence, capture
/// time in 8 bytes, width, height; the path as a count of one byte and per point x, y and microseconds in 8
/// bytes; where there is a snapshot its width and height in two bytes each, and its size. Fractions are IEEE
/// 754 singles, other numbers 4 bytes. Of more than 255 zones the first count.
ByteBuffer storyOf(const FaceEvent& event);

/// Adds what a BLOB tells; an empty one tells nothing. False: it makes no sense.
bool addStory(FaceEvent& event, ByteView story);

}  // namespace edgecam::uplink
