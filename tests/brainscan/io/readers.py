"""What other readers stop at among the awkward files, by name: any other file that they do not read is a failure.

Each has errors of its own (ValueError, IndexError, ZeroDivisionError …), so that catching them would hide a reader
that broke.
"""

from __future__ import annotations

from tests.conftest import shared_folder

CASES = sorted(p.name for p in (shared_folder() / "edf-cases").glob("*.[eEbB][dD][fF]"))

REFUSED = frozenset({
    "crlf_mangled.edf", "edfplus_annot_only.edf", "empty_file.edf", "gzip_content.edf", "hbytes_wrong.edf",
    "hbytes_zero.edf", "header_100_bytes.edf", "header_cut.edf", "header_only.edf", "not_edf_png.edf",
    "not_edf_text.edf", "ns_negative.edf", "ns_too_big.edf", "ns_zero.edf", "pub_bids_shifted_header.edf",
    "pub_hypnogram.bdf", "pub_sleep_hypnogram.edf", "pub_wfdb_annot_only.edf", "range_garbage.edf",
    "recdur_zero.edf", "utf8_mangled.edf",
})  # fmt: skip
"""What our own reader refuses: no EEG, damaged beyond use, or by a choice that docs/reading.md states."""

EDFIO_STOPS = frozenset({
    "edf_nul_padded.edf", "empty_file.edf", "gzip_content.edf", "header_100_bytes.edf", "header_cut.edf",
    "not_edf_png.edf", "not_edf_text.edf", "ns_negative.edf", "ns_too_big.edf", "ns_zero.edf",
    "pub_bids_shifted_header.edf", "range_garbage.edf", "recdur_zero.edf",
})  # fmt: skip

PYEDFLIB_STOPS = REFUSED - {
    "edfplus_annot_only.edf", "pub_hypnogram.bdf", "pub_sleep_hypnogram.edf", "pub_wfdb_annot_only.edf",
    "recdur_zero.edf",
} | {
    "bip_chbmit_dummy.edf", "date_blank.edf", "date_invalid.edf", "date_slash.edf", "date_text.edf",
    "date_zero.edf", "edf_comma_decimals.edf", "edf_nonascii_header.edf", "edf_nul_padded.edf",
    "edf_utf8_header.edf", "edfplus_c_hidden_gap.edf", "edfplus_d_gaps.edf", "edfplus_d_nogap.edf",
    "edfplus_d_overlap.edf", "edfplus_d_subsecond.edf", "edfplus_no_annot_channel.edf", "name_spaces.edf",
    "nrec_minus1.edf", "nrec_too_big.edf", "pub_edfdecoder.edf", "pub_edfjl_bad_date.edf",
    "pub_mne_biosemi64_2048.bdf", "range_zero_phys_all.edf", "range_zero_phys_one.edf", "spr_zero_one.edf",
    "trunc_mid_record.edf", "unit_micro_latin1.edf", "unit_micro_utf8.edf", "unit_mu_greek_utf8.edf", "ver_bad.edf",
}  # fmt: skip
"""EDFlib holds every field to the letter, and knows no interrupted recordings."""

NOTES_STOP = {
    "edfio": EDFIO_STOPS | {"edfplus_latin1_annot.edf"},
    "mne": REFUSED | {"edfplus_latin1_annot.edf"},
    "pyedflib": PYEDFLIB_STOPS,
}
"""The same where annotations are asked for as well; MNE is asked for nothing that we refuse."""
