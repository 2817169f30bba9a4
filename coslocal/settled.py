"""Where the vendor's documents are silent or disagree, and coslocal offers no choice: what it does, and why.

Together with dialects.py this is every such place of the reference that touches what coslocal imitates.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settled:
    """`decided` tells what coslocal does, `why` there is no dialect for it."""

    topic: str
    decided: str
    why: str


REQUESTS: tuple[Settled, ...] = (
    Settled(
        "Pic-Operations on copy, append and form uploads (CI 1.1)",
        "the header is passed over",
        "no page tells what the answer to such a request would look like, so there is nothing to imitate",
    ),
    Settled(
        "an object that does not exist, for a role that may read it and not list its bucket (SCF 9)",
        "404",
        "no page tells of another answer; coslocal can hold a role to a CAM policy, and only to what that says",
    ),
    Settled(
        "a destination bucket of another owner (CI 1.3)",
        "there is one owner",
        "a client cannot have a second account here",
    ),
    Settled(
        "x-cos-callback together with processing (CI 1.7)",
        "the header is passed over",
        "no page names it for processing, and callbacks of uploads are not offered",
    ),
    Settled(
        "the order of events of one upload with processing (CI 1.7)",
        "those of the results come first",
        "delivery is unordered anyway (SCF 1.6): no client may rely on it; faults can reorder events",
    ),
    Settled(
        "bytes, sides and stages of older pages (CI 7, 4.11)",
        "the limits of 2026-01; only the 20 MB of a source are a choice (source-limit)",
        "the newest page names the older figures' successors; nothing suggests that both are in force",
    ),
    Settled(
        "what five rules cost (CI 8)",
        "nothing",
        "no client sees a bill here",
    ),
    Settled(
        "codes for a bad rule or for what is no image (COS 5)",
        "the table in coslocal/ci/errors.py",
        "a client is promised 4xx with an Error document; error-code and error-status switch its shape",
    ),
    Settled(
        "allowed characters and length of a style's name (CI 2)",
        "any text",
        "no page hints at a limit that could be a second choice",
    ),
    Settled(
        "members of ?imageInfo (COS 5, CI 6)",
        "those of both lists",
        "the lists differ by members, all of them texts: a client that knows one list reads it here",
    ),
)

OPERATIONS: tuple[Settled, ...] = (
    Settled(
        "an operation twice in one segment (CI 4)",
        "refused",
        "one grammar serves coslocal and derivo lint, and its tree holds an operation once",
    ),
    Settled(
        "minisize, progressive, animation; imageView2 mode 0; jxl (CI 3, 4, 4.6)",
        "refused",
        "no source gives them a meaning that could be imitated",
    ),
    Settled(
        "which frame a still is made of (CI 4.6)",
        "the first",
        "no other reading is in any source; frame/<n> asks for another one on download",
    ),
    Settled(
        "how cgif and egif reduce colours (CI 4.7)",
        "a gif to 128 colours a frame, a webp not at all",
        "that they do is documented, to how many is not; a webp has no table of colours",
    ),
    Settled(
        "curves of bright, contrast, sharpen and the masks of blur (CI 4.9)",
        "linear, around the middle grey, an unsharp mask, a Gaussian",
        "there is no second documented curve to choose",
    ),
    Settled(
        "the quality of a JPEG source (CI 4.8)",
        "the IJG quality whose luminance table is nearest; 100 for other formats, as in the samples",
        "no other method is named anywhere",
    ),
    Settled(
        "the dominant colour, Ave and imageAve (CI 6)",
        "the average of the first frame, transparency on white",
        "no method is documented; a client gets a colour of the right form",
    ),
    Settled(
        "what counts as a face in scrop (CI 4.3)",
        "libvips's attention measure, with a warning",
        "a face finder is another product; scrop-face=none gives what CI does without a face",
    ),
    Settled(
        "a point of a text watermark, its shadow's offset (CI 5.2)",
        "a pixel; a sixteenth of the font's size",
        "neither has a second documented reading",
    ),
    Settled(
        "whether advanced formats are switched on (CI 4.6)",
        "avif can be written, heif, tpg, psd and astc cannot",
        "what libvips cannot write cannot be switched on; that the console may switch avif off is documented, not open",
    ),
    Settled(
        "Guetzli, blind watermarks, QR codes, the AI family (CI 5.3, 6)",
        "refused with the documented error",
        "not offered at all, so what is open about them does not show",
    ),
)

JOBS: tuple[Settled, ...] = (
    Settled(
        "HTTP statuses of refused jobs (CI 9.4)",
        "404 for what is not found, 403 for what is denied, else 400",
        "clients see the Code, which job-code switches; the statuses have no second source",
    ),
    Settled(
        "limits of objects a batch, of jobs at once, of a queue (SCF 8.1, 8.2)",
        "none; one job after the other",
        "no figure is known",
    ),
    Settled(
        "the state of a batch of which some objects failed (SCF 8.1)",
        "Success, once every object was seen to; each has a job of its own that tells its end",
        "there is no per-object record in the documents, nor another state",
    ),
    Settled(
        "${ext} in an output's name (SCF 8.1)",
        "the source's extension",
        "the pages show it with transcoding only; for pictures there is no other reading to choose",
    ),
    Settled(
        "events of objects that jobs write (SCF 1.7)",
        "as of results of Pic-Operations: result-events, result-event-name",
        "one switch for all that CI writes",
    ),
    Settled(
        "jobs that were not finished when the service ended",
        "run again from their beginning when coslocal starts again on the same --data",
        "a client sees no difference but a later StartTime: a result only overwrites itself",
    ),
    Settled(
        "workflows (SCF 8.4)",
        "501 with their name",
        "not offered at all",
    ),
)

EVENTS: tuple[Settled, ...] = (
    Settled(
        "several records in one event (SCF 1.1)",
        "one record an event",
        "nothing says when records would be merged; the Invoke API hands a function any event",
    ),
    Settled(
        "legacy short names of further regions (SCF 1.3)",
        "nine are known; other regions go by their full name",
        "no second name is in any source",
    ),
    Settled(
        "duplicates, losses and order of events (SCF 1.6)",
        "each event once, in order",
        "faults duplicate, lose, delay and reorder them on demand",
    ),
    Settled(
        "whether the request id stays the same over retries (SCF 1.1)",
        "it does",
        "the documents' own samples imply it; no source has it otherwise",
    ),
    Settled(
        "temporary keys of a warm instance (SCF 2.3)",
        "they do not change",
        "coslocal's keys never run out",
    ),
    Settled(
        "ranges of RetryNum and MsgTTL (SCF 3.1)",
        "what `coslocal serve` is told",
        "they are options already",
    ),
    Settled(
        "CKafka as dead-letter queue, the data of EventBridge events (SCF 3.3, 6.1)",
        "a file of dead letters; no EventBridge",
        "not offered at all",
    ),
    Settled(
        "triggers across accounts, rules a bucket (SCF 1.5)",
        "one account; at most ten triggers a function",
        "the older figures are superseded, and there is no second account",
    ),
)

DEPLOYING: tuple[Settled, ...] = (
    Settled(
        "which calls are refused while a function is not Active (583/115197)",
        "updates, publishing and triggers, with FailedOperation.FunctionStatusError; limits and aliases are taken",
        "who waits for Active before each of them is right either way",
    ),
    Settled(
        "code that cannot run (583/17243)",
        "what is no zip is refused; what cannot be unpacked or lacks the handler's file is CreateFailed, UpdateFailed",
        "both ends have their documented names, and no page tells which fault comes to which",
    ),
    Settled(
        "the state of $LATEST while a version is published (583/115197)",
        "Active; the version itself is Publishing",
        "the version's own state is the one to wait for, whatever $LATEST tells",
    ),
    Settled(
        "what the SHA-256 of GetFunctionAddress is of",
        "of the zip as it was sent, in hex",
        "versions of the same code have the same one in any case, and more it should not be asked",
    ),
    Settled(
        "GetFunctionLogs without a Qualifier; GetReservedConcurrencyConfig without a reserve",
        "the runs of all versions; null",
        "the SDK's own notes call the one optional and say that the other may be null",
    ),
)

GROUPS = {
    "Events": EVENTS,
    "Requests and answers": REQUESTS,
    "Image operations": OPERATIONS,
    "Jobs": JOBS,
    "Deploying": DEPLOYING,
}
