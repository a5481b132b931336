#include "capture/parameter_sets.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>

namespace edgecam::capture {
namespace {

constexpr std::uint32_t kMostReordered = 16;  // MaxDpbFrames, H.264 A.3.1 and H.265 A.4.2
constexpr std::uint8_t kHevcSpsType = 33;

/// The bytes of a NAL unit without its emulation prevention (H.264 7.4.1, H.265 7.4.2: 00 00 03 stands for 00
/// 00).
ByteBuffer withoutEmulationPrevention(ByteView nal) {
    ByteBuffer out;
    out.reserve(nal.size());
    int zeros = 0;
    for (const std::uint8_t byte : nal) {
        if (zeros >= 2 && byte == 3) {
            zeros = 0;
            continue;
        }
        zeros = byte == 0 ? zeros + 1 : 0;
        out.push_back(byte);
    }
    return out;
}

/// Reads bits, most significant first. Past the end it yields zeros and remembers so: a parser checks once,
/// at its end.
class BitReader {
  public:
    explicit BitReader(ByteView in) : in_(in) {}

    std::uint32_t bits(int count) {
        std::uint32_t value = 0;
        for (; count > 0; --count) value = value << 1 | bit();
        return value;
    }
    bool flag() { return bit() != 0; }
    void skip(std::size_t count) { position_ += count; }

    /// ue(v), H.264 9.1. At most 32 bits are meant: a longer prefix is a failure.
    std::uint32_t exp() {
        int zeros = 0;
        while (zeros < 32 && !failed() && bit() == 0) ++zeros;
        if (zeros == 32) position_ = in_.size() * 8 + 1;
        if (failed()) return 0;
        return ((std::uint32_t{1} << zeros) - 1) + bits(zeros);
    }
    /// se(v), H.264 9.1.1.
    std::int32_t signedExp() {
        const std::uint32_t code = exp();
        const auto half = static_cast<std::int32_t>(code / 2);
        return code % 2 != 0 ? half + 1 : -half;
    }

    [[nodiscard]] bool failed() const { return position_ > in_.size() * 8; }
    [[nodiscard]] std::size_t position() const { return position_; }

  private:
    std::uint32_t bit() {
        const std::size_t at = position_++;
        if (at >= in_.size() * 8) return 0;
        return in_[at / 8] >> (7 - at % 8) & 1U;
    }

    ByteView in_;
    std::size_t position_ = 0;
};

/// Writes bits, most significant first.
class BitWriter {
  public:
    void bits(std::uint32_t value, int count) {
        while (count-- > 0) {
            if (used_++ % 8 == 0) out_.push_back(0);
            out_.back() |= static_cast<std::uint8_t>((value >> count & 1U) << ((8 - used_ % 8) % 8));
        }
    }
    void exp(std::uint32_t value) {
        const auto width = static_cast<int>(std::bit_width(value + 1));
        bits(0, width - 1);
        bits(value + 1, width);
    }
    [[nodiscard]] const ByteBuffer& bytes() const { return out_; }

  private:
    ByteBuffer out_;
    std::size_t used_ = 0;
};

ByteBuffer withEmulationPrevention(ByteView raw) {
    ByteBuffer out;
    out.reserve(raw.size() + raw.size() / 16);
    int zeros = 0;
    for (const std::uint8_t byte : raw) {
        if (zeros >= 2 && byte <= 3) {
            out.push_back(3);
            zeros = 0;
        }
        zeros = byte == 0 ? zeros + 1 : 0;
        out.push_back(byte);
    }
    return out;
}

/// Where the last bit of a NAL unit's content is: rbsp_stop_one_bit, H.264 7.3.2.11. 0: there is none.
std::size_t stopBitOf(ByteView raw) {
    std::size_t bytes = raw.size();
    while (bytes > 0 && raw[bytes - 1] == 0) --bytes;
    return bytes == 0 ? 0 : bytes * 8 - 1 - static_cast<std::size_t>(std::countr_zero(raw[bytes - 1]));
}

std::optional<int> plausible(const BitReader& in, std::uint32_t depth) {
    if (in.failed() || depth > kMostReordered) return std::nullopt;
    return static_cast<int>(depth);
}

bool hasChromaFormat(std::uint32_t profile) {
    constexpr std::array<std::uint32_t, 13> kProfiles{100, 110, 122, 244, 44,  83, 86,
                                                      118, 128, 138, 139, 134, 135};
    return std::find(kProfiles.begin(), kProfiles.end(), profile) != kProfiles.end();
}

/// scaling_list(), H.264 7.3.2.1.1.1.
void skipScalingList(BitReader& in, int size) {
    std::int32_t last = 8;
    std::int32_t next = 8;
    for (int i = 0; i < size && !in.failed(); ++i) {
        if (next != 0) next = (last + in.signedExp() % 256 + 256) % 256;
        if (next != 0) last = next;
    }
}

void skipChromaFormat(BitReader& in) {
    const std::uint32_t chromaFormat = in.exp();
    if (chromaFormat == 3) in.skip(1);  // separate_colour_plane_flag
    in.exp();                           // bit_depth_luma_minus8
    in.exp();                           // bit_depth_chroma_minus8
    in.skip(1);                         // qpprime_y_zero_transform_bypass_flag
    if (!in.flag()) return;             // seq_scaling_matrix_present_flag
    const int lists = chromaFormat == 3 ? 12 : 8;
    for (int i = 0; i < lists; ++i) {
        if (in.flag()) skipScalingList(in, i < 6 ? 16 : 64);
    }
}

/// Returns pic_order_cnt_type.
std::uint32_t skipPictureOrder(BitReader& in) {
    const std::uint32_t type = in.exp();
    if (type == 0) in.exp();  // log2_max_pic_order_cnt_lsb_minus4
    if (type == 1) {
        in.skip(1);      // delta_pic_order_always_zero_flag
        in.signedExp();  // offset_for_non_ref_pic
        in.signedExp();  // offset_for_top_to_bottom_field
        const std::uint32_t count = in.exp();
        for (std::uint32_t i = 0; i < count && !in.failed(); ++i) in.signedExp();
    }
    return type;
}

/// hrd_parameters(), H.264 E.1.1.
void skipBitrateModel(BitReader& in) {
    const std::uint32_t count = in.exp() + 1;
    in.skip(4 + 4);
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
        in.exp();
        in.exp();
        in.skip(1);
    }
    in.skip(4 * 5);
}

/// max_num_reorder_frames, and which bits say it.
struct ReorderField {
    int depth = 0;
    std::size_t from = 0;
    std::size_t to = 0;
};

/// vui_parameters(), H.264 E.1.1, up to max_num_reorder_frames.
std::optional<ReorderField> reorderFieldOfVui(BitReader& in) {
    constexpr std::uint32_t kExtendedSar = 255;
    if (in.flag() && in.bits(8) == kExtendedSar) in.skip(32);  // aspect_ratio
    if (in.flag()) in.skip(1);                                 // overscan
    if (in.flag()) {                                           // video_signal_type
        in.skip(4);
        if (in.flag()) in.skip(24);  // colour_description
    }
    if (in.flag()) {  // chroma_loc_info
        in.exp();
        in.exp();
    }
    if (in.flag()) in.skip(32 + 32 + 1);  // timing_info
    const bool nalModel = in.flag();
    if (nalModel) skipBitrateModel(in);
    const bool vclModel = in.flag();
    if (vclModel) skipBitrateModel(in);
    if (nalModel || vclModel) in.skip(1);  // low_delay_hrd_flag
    in.skip(1);                            // pic_struct_present_flag
    if (!in.flag()) return std::nullopt;   // bitstream_restriction_flag
    in.skip(1);                            // motion_vectors_over_pic_boundaries_flag
    for (int i = 0; i < 4; ++i) in.exp();  // max_bytes_per_pic_denom … log2_max_mv_length_vertical
    const std::size_t from = in.position();
    const auto depth = plausible(in, in.exp());
    return depth ? std::optional(ReorderField{*depth, from, in.position()}) : std::nullopt;
}

/// What an SPS says of reordering.
struct AvcOrder {
    std::optional<ReorderField> declared;
    bool never = false;  ///< by what else it says
};

/// seq_parameter_set_data(), H.264 7.3.2.1.1, of a NAL unit without emulation prevention.
AvcOrder orderOfAvcSps(ByteView raw) {
    BitReader in(raw);
    in.skip(8);  // NAL unit header
    const std::uint32_t profile = in.bits(8);
    in.skip(16);  // constraint flags, level_idc
    in.exp();     // seq_parameter_set_id
    if (hasChromaFormat(profile)) skipChromaFormat(in);
    in.exp();  // log2_max_frame_num_minus4
    const std::uint32_t pictureOrderType = skipPictureOrder(in);
    in.exp();                    // max_num_ref_frames
    in.skip(1);                  // gaps_in_frame_num_value_allowed_flag
    in.exp();                    // pic_width_in_mbs_minus1
    in.exp();                    // pic_height_in_map_units_minus1
    if (!in.flag()) in.skip(1);  // frame_mbs_only_flag, mb_adaptive_frame_field_flag
    in.skip(1);                  // direct_8x8_inference_flag
    if (in.flag()) {             // frame_cropping
        for (int i = 0; i < 4; ++i) in.exp();
    }
    AvcOrder order;
    if (in.flag()) order.declared = reorderFieldOfVui(in);
    // Type 2 means: output order is decoding order (8.2.1.3). Baseline (66) has no B slices (A.2.1).
    order.never = !in.failed() && (pictureOrderType == 2 || profile == 66);
    return order;
}

ByteBuffer withReorderDepth(ByteView raw, const ReorderField& field, int depth) {
    BitReader in(raw);
    BitWriter out;
    while (in.position() < field.from) out.bits(in.bits(1), 1);
    out.exp(static_cast<std::uint32_t>(depth));
    in.skip(field.to - field.from);
    const std::size_t stop = stopBitOf(raw);
    while (in.position() <= stop) out.bits(in.bits(1), 1);
    return withEmulationPrevention(out.bytes());
}

/// Of an AVCDecoderConfigurationRecord: the first SPS, what is before its length and what is behind it.
struct AvcRecord {
    ByteView head;
    int spsCount = 0;
    ByteView sps;
    ByteView tail;
};

std::optional<AvcRecord> partsOf(ByteView record) {
    constexpr std::size_t kHead = 6;
    ByteReader reader(record);
    const auto head = reader.bytes(kHead);
    const auto length = reader.u16();
    const auto sps = reader.bytes(length.value_or(0));
    if (!head || (head->back() & 0x1f) == 0 || !sps || sps->empty()) return std::nullopt;
    return AvcRecord{*head, head->back() & 0x1f, *sps, record.subspan(kHead + 2 + sps->size())};
}

/// profile_tier_level(1, max_sub_layers_minus1), H.265 7.3.3.
void skipProfileTierLevel(BitReader& in, std::uint32_t subLayers) {
    constexpr std::size_t kProfileBits = 88;
    constexpr std::size_t kLevelBits = 8;
    in.skip(kProfileBits + kLevelBits);
    std::size_t present = 0;
    for (std::uint32_t i = 0; i < subLayers; ++i) {
        if (in.flag()) present += kProfileBits;
        if (in.flag()) present += kLevelBits;
    }
    if (subLayers > 0) in.skip(2 * (8 - subLayers));
    in.skip(present);
}

/// seq_parameter_set_rbsp(), H.265 7.3.2.2.1, up to sps_max_num_reorder_pics of the highest sub-layer.
std::optional<int> reorderDepthOfHevcSps(ByteView nal) {
    const ByteBuffer raw = withoutEmulationPrevention(nal);
    BitReader in(raw);
    in.skip(16 + 4);  // NAL unit header, sps_video_parameter_set_id
    const std::uint32_t subLayers = in.bits(3);
    in.skip(1);  // sps_temporal_id_nesting_flag
    skipProfileTierLevel(in, subLayers);
    in.exp();                       // sps_seq_parameter_set_id
    if (in.exp() == 3) in.skip(1);  // chroma_format_idc, separate_colour_plane_flag
    in.exp();                       // pic_width_in_luma_samples
    in.exp();                       // pic_height_in_luma_samples
    if (in.flag()) {                // conformance_window
        for (int i = 0; i < 4; ++i) in.exp();
    }
    in.exp();                                                    // bit_depth_luma_minus8
    in.exp();                                                    // bit_depth_chroma_minus8
    in.exp();                                                    // log2_max_pic_order_cnt_lsb_minus4
    const std::uint32_t rounds = in.flag() ? subLayers + 1 : 1;  // sps_sub_layer_ordering_info_present_flag
    std::uint32_t depth = 0;
    for (std::uint32_t i = 0; i < rounds; ++i) {
        in.exp();  // sps_max_dec_pic_buffering_minus1
        depth = in.exp();
        in.exp();  // sps_max_latency_increase_plus1
    }
    return plausible(in, depth);
}

std::uint32_t withBitsReversed(std::uint32_t value) {
    std::uint32_t out = 0;
    for (int i = 0; i < 32; ++i) out |= (value >> i & 1U) << (31 - i);
    return out;
}

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

}  // namespace

Result<std::string> avcCodecString(ByteView record) {
    if (record.size() < 7) return Error{"the avcC record is too short"};
    if (record[0] != 1) return Error{"the avcC record has an unknown version"};
    return formatted("avc1.%02x%02x%02x", record[1], record[2], record[3]);
}

Result<std::string> hevcCodecString(ByteView record) {
    if (record.size() < 23) return Error{"the hvcC record is too short"};
    if (record[0] != 1) return Error{"the hvcC record has an unknown version"};
    constexpr std::array<const char*, 4> kProfileSpaces{"", "A", "B", "C"};
    const char tier = (record[1] & 0x20) != 0 ? 'H' : 'L';
    ByteReader reader(record.subspan(2));
    const std::uint32_t compatibility = withBitsReversed(reader.u32().value_or(0));
    std::string text = "hvc1." + std::string(kProfileSpaces[record[1] >> 6]) +
                       formatted("%d.%X.%c%d", record[1] & 0x1f, compatibility, tier, record[12]);
    ByteView constraints = record.subspan(6, 6);
    while (!constraints.empty() && constraints.back() == 0)
        constraints = constraints.first(constraints.size() - 1);
    for (const std::uint8_t byte : constraints) text += formatted(".%X", byte);
    return text;
}

std::optional<int> avcReorderDepth(ByteView record) {
    const auto parts = partsOf(record);
    if (!parts) return std::nullopt;
    const AvcOrder order = orderOfAvcSps(withoutEmulationPrevention(parts->sps));
    if (order.declared) return order.declared->depth;
    return order.never ? std::optional(0) : std::nullopt;
}

std::optional<ByteBuffer> avcWithReorderDepth(ByteView record, int depth) {
    const auto parts = partsOf(record);
    if (!parts || parts->spsCount != 1) return std::nullopt;
    const ByteBuffer raw = withoutEmulationPrevention(parts->sps);
    const AvcOrder order = orderOfAvcSps(raw);
    if (!order.declared || stopBitOf(raw) < order.declared->to) return std::nullopt;
    const ByteBuffer sps = withReorderDepth(raw, *order.declared, depth);
    if (sps.size() > 0xffff) return std::nullopt;
    ByteBuffer out(parts->head.begin(), parts->head.end());
    out.push_back(static_cast<std::uint8_t>(sps.size() >> 8U));
    out.push_back(static_cast<std::uint8_t>(sps.size()));
    out.insert(out.end(), sps.begin(), sps.end());
    out.insert(out.end(), parts->tail.begin(), parts->tail.end());
    return out;
}

std::optional<int> hevcReorderDepth(ByteView record) {
    ByteReader reader(record);
    if (!reader.bytes(22)) return std::nullopt;
    const std::uint8_t arrays = reader.u8().value_or(0);
    for (int array = 0; array < arrays; ++array) {
        const std::uint8_t type = reader.u8().value_or(0) & 0x3f;
        const std::uint16_t units = reader.u16().value_or(0);
        for (int unit = 0; unit < units; ++unit) {
            const auto length = reader.u16();
            const auto nal = length ? reader.bytes(*length) : std::nullopt;
            if (!nal) return std::nullopt;
            if (type == kHevcSpsType) return reorderDepthOfHevcSps(*nal);
        }
    }
    return std::nullopt;
}

}  // namespace edgecam::capture
