"""Sections of the configuration about data sets, and timestamps in them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from hashgnn.config.base import Count, Line, Matching, Section, Seed, Several, Share, remedy
from hashgnn.errors import InputError

RANDOM_TEST = 0.3  # share of a user's interactions that a random split tests by default
_DIGESTS = "md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}|gitblob:[0-9a-f]{40}"
Checksum = Annotated[str, Matching(_DIGESTS, "md5:, sha256: or gitblob: and the digest")]
FileName = Annotated[
    str, Matching("[A-Za-z0-9][A-Za-z0-9_.-]*", "a file's name of letters, digits, . _ and -")
]
Separator = Annotated[str, Matching(r'[^"\r\n]+', "text without quotes and line breaks")]
Text = Annotated[str, Field(min_length=1)]
Column = Text | Annotated[int, Field(ge=0)]
Large = Annotated[int, Field(ge=2, le=2**31 - 1)]
Spread = Annotated[float, Field(ge=0, le=10)]


def parse_moment(text: str, key: str) -> float:
    """Return an ISO 8601 time as seconds since 1970; the default time zone is UTC.

    Raises:
        InputError: The text has another form; the message begins with ``key``.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{key}: {text!r} is no time in ISO 8601") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Manual(Section):
    """Instructions for a file that requires a login."""

    page: str
    """Web page of the file."""

    note: str | None = None
    """What to do on this page."""


class File(Section):
    """A raw file of a data set."""

    address: Text | None = None
    """URL, or a path on this machine: such a file is copied and checked like a download, and its
    edits are noticed. `~` is your home folder. A relative path begins in the folder in which
    snakemake is started, or in that of its option `--directory`, wherever the config file is and
    whatever `workdir` says."""

    checksum: Checksum | None = None
    """`md5:`, `sha256:` or `gitblob:` and the digest in hexadecimal."""

    manual: Manual | None = None
    """For a file that requires a login. The workflow stops and prints this and the file's place."""

    def check(self) -> None:
        """Raise ``InputError`` if neither address nor instructions are given."""
        if self.address is None and self.manual is None:
            raise InputError("address: missing; needs an address, or manual instructions")


class FeatureFile(File):
    """A table of features: CSV or TSV with column names (UTF-8, also compressed), or Parquet."""

    file: FileName
    """Name of its copy, which says what it is by its end: .csv, .tsv, .parquet."""

    id: Text
    """Name of the column of ids; all other columns are features. Text is a category, several with
    bars between them, and numbers are divided at quantiles if there are many different ones."""


class Features(Section):
    """What is known of users and items besides interactions, for graph methods."""

    user: FeatureFile | None = None
    """Features of users, a row for each; rows of others have no effect."""

    item: FeatureFile | None = None
    """Features of items. Those that only come in the test part are represented by these alone."""

    def check(self) -> None:
        """Raise ``InputError`` without tables, or for two of one name."""
        names = [table.file for table in self.tables()]
        if not names:
            raise InputError("user: missing; features need a table of users, of items, or both")
        if len(set(names)) < len(names):
            raise InputError("file: the tables of users and items need different names")

    def tables(self) -> list[FeatureFile]:
        """Return the tables that there are."""
        return [table for table in (self.user, self.item) if table]


class Member(Section):
    """A file inside a zip archive."""

    name: Text
    """Its name, with folders, inside the archive."""

    behavior: Line | None = None
    """Kind of behavior of all its rows, for `filter.behaviors`."""


class Format(Section):
    """Layout of a table's files."""

    type: Literal["csv", "parquet"] | None = None
    """Kind of file; by default recognized by content or name."""

    member: str | None = None
    """File inside a zip archive, needed if it has several (metadata of desktops does not count)."""

    members: Annotated[tuple[Member, ...], Field(min_length=1)] | None = None
    """Files inside one zip archive, read in this order, each with the behavior of its rows, as in
    `[{name: view.txt, behavior: view}, {name: buy.txt, behavior: buy}]`."""

    separator: Separator | None = None
    """Text between two fields, of any length; `\\t` is a tab. By default a tab for `.tsv`, else a
    comma; any white space for `adjacency`."""

    header: bool = True
    """Whether the first line names the columns."""

    quote: bool = True
    """Whether double quotes enclose fields that hold a separator."""

    encoding: str = "utf-8"
    """Encoding of the text."""

    time: Literal["seconds", "milliseconds", "iso"] = "seconds"
    """Unit of the time column."""

    def check(self) -> None:
        """Raise ``InputError`` for an unknown encoding, and for members that contradict others."""
        names = [member.name for member in self.members or ()]
        if names and self.member is not None:
            raise InputError("members: set member or members, not both")
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise InputError(f"members: {repeated!r} stands twice")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise InputError(
                f"encoding: {self.encoding!r} is no encoding of text, as utf-8 is"
            ) from None


class Columns(Section):
    """Columns of a table, each by its name or its position from 0."""

    user: Column
    """Ids of users: text of up to 10,000 bytes, or whole numbers."""

    item: Column
    """Ids of items, of the same types."""

    rating: Column | None = None
    """Ratings, for `filter.rating_at_least`."""

    time: Column | None = None
    """Times, for `filter` and `split`."""

    behavior: Column | None = None
    """Kinds of behavior, for `filter.behaviors`."""

    weight: Column | None = None
    """How much an interaction counts in training: numbers above 0, which may also be the ratings.
    Weights of rows with the same user and item are added. `docs/training.md` says what each method
    does with them."""

    def check(self) -> None:
        """Raise ``InputError`` if two keys name the same column."""
        given = self.model_dump(exclude_none=True)
        if self.weight is not None and self.weight == self.rating:
            del given["weight"]
        for role, column in given.items():
            first = next(other for other in given if given[other] == column)
            if first != role:
                raise InputError(f"{role}: {first} and {role} are the same column, {column!r}")


class Filter(Section):
    """Which interactions are kept."""

    rating_at_least: float | None = None
    """Interactions with a lower rating are dropped."""

    behaviors: Several[str | int] | None = None
    """Kinds of behavior that are kept."""

    time_from: str | None = None
    """Interactions before this time (ISO 8601, in quotes) are dropped."""

    time_before: str | None = None
    """Interactions from this time on (ISO 8601, in quotes) are dropped."""

    user_interactions: Count | None = None
    """Smallest number of items per user. Users and items below their bounds are dropped repeatedly,
    until none is left (the k-core)."""

    item_interactions: Count | None = None
    """Smallest number of users per item."""

    def check(self) -> None:
        """Raise ``InputError`` for an empty range of times."""
        first, end = (
            None if (text := getattr(self, key)) is None else parse_moment(text, key)
            for key in ("time_from", "time_before")
        )
        if first is not None and end is not None and first >= end:
            raise InputError("time_from: is not before time_before: nothing would be left")


class Generator(Section):
    """Size and distributions of a generated data set."""

    users: Large
    """Number of users."""

    items: Large
    """Number of items."""

    interactions: int = Field(ge=2, le=2**53)
    """Number of interactions: for each user at least one, and at most half of the items."""

    seed: Seed = 0
    """Seed of the generator."""

    least: Count = 10
    """Smallest number of interactions of a user, if there are enough for all."""

    user_spread: Spread = 1.0
    """Standard deviation of the logarithm of users' activity, which is log-normal above `least`."""

    item_spread: Spread = 1.2
    """Standard deviation of the logarithm of items' popularity, which is log-normal."""

    facets: Annotated[int, Field(ge=1, le=100)] = 3
    """Independent hierarchies of categories; every item is in each of them. Tastes follow the first
    one most, with probability `loyalty`."""

    leaf: Count = 8
    """Items of a smallest category."""

    branching: Annotated[int, Field(ge=2, le=1000)] = 2
    """Categories that a category of the next higher level joins."""

    interests: float = Field(2.0, gt=0, le=1000)
    """Mean number of interests of a user, each a category of any level."""

    interest_spread: Spread = 1.0
    """Standard deviation of the logarithm of the number of interests: the greater, the more users
    there are of very few and of very many tastes."""

    loyalty: Share = 0.95
    """Share of a user's interests that lie in the same large category, its home."""

    chance: Share = 0.1
    """Share of interactions that depend on popularity only."""

    revisits: Share = 0.1
    """Share of interactions with items near one that the user has chosen before, rather a recent
    one. The rest follows the interests."""

    neighborhood: Count = 8
    """Items on either side that are near an item, in the order of a facet."""

    lifetime: float = Field(0.5, ge=0.001, le=1000)
    """Time in which an item's popularity falls to 37 % after its peak, as a share of all days."""

    days: int = Field(7, ge=1, le=36500)
    """Number of days of the interactions, if there are `behaviors`."""

    behaviors: Annotated[dict[Line, Annotated[float, Field(gt=0)]], Field(min_length=1)] | None = (
        None
    )
    """Share of each kind of behavior, such as `{click: 0.9, buy: 0.1}`. Rows then also have a
    time."""

    def check(self) -> None:
        """Raise ``InputError`` for too many or too few interactions, or shares above one."""
        if self.chance + self.revisits > 1:
            raise InputError(
                f"revisits: chance and revisits are shares of one whole, but {self.chance} and "
                f"{self.revisits} are more than 1 together; lower one of them"
            )
        if not self.users <= self.interactions <= self.users * (self.items // 2):
            raise InputError(
                f"interactions: {self.interactions:,} do not fit {self.users:,} users, who have at "
                f"least one and at most half of {self.items:,} items each"
            )


class Split(Section):
    """The test and validation parts of a data set."""

    by: Literal["random", "time", "file"] = "random"
    """`random`: per user, by the seed and the ids alone, so that users and items that are added
    move nobody else's interactions; `time`: the latest of each user, or all after one moment, are
    tested; `file`: by the file, or the member of an archive, that a row came from."""

    test: Annotated[float, Field(gt=0, lt=1)] | Text | Several[Text] | None = None
    """Share of each user's interactions that is tested (0.3 if `by: random`); with `by: file`, the
    name of the tested file, or a list of names. A pair that several files hold belongs to the
    first."""

    test_from: str | None = None
    """With `by: time`, in place of a share: the moment (ISO 8601, in quotes) from which on the
    interactions of all users are tested. Nothing after it is trained on: users who only came after
    it are left out, items that only came after it stay in the test part; the log and the record of
    the split count both."""

    test_days: Annotated[float, Field(gt=0, le=36500)] | None = None
    """With `by: time`, in place of a share: the number of last days that are tested. `null`, for
    this and the two keys above, unsets what a config file below has."""

    validation: Annotated[float, Field(ge=0, lt=1)] | Text | Several[Text] = 0.1
    """Share of the rest that is held out to choose hyper-parameters and the best epoch. With
    `by: file` also the name of a file, or a list of names: its interactions must be in the training
    files, too, and are held out of them."""

    seed: Seed = 0
    """Seed of the split; every method and seed shares one split."""

    def check(self) -> None:
        """Raise ``InputError`` unless the keys of the test part match ``by``."""
        tested = {"time": ("test", "test_from", "test_days")}.get(self.by, ("test",))
        given = [k for k in ("test", "test_from", "test_days") if getattr(self, k) is not None]
        if unfit := [key for key in given if key not in tested]:
            raise InputError(
                f"{unfit[0]}: only with by: time, here by is {self.by}; null unsets it"
            )
        if len(given) > 1 or (self.by != "random" and not given):
            found = " and ".join(given) or "none"
            raise InputError(
                f"by: {self.by} needs one of {', '.join(tested)}; found {found}; null unsets one"
            )
        if "test" in given and isinstance(self.test, float) == (self.by == "file"):
            by_file = "names of the tested files" if self.by == "file" else "a share from 0 to 1"
            raise InputError(f"test: by: {self.by} expects {by_file}, got {_shown(self.test)}")
        if self.by != "file" and not isinstance(self.validation, float):
            expected = f"by: {self.by} expects a share from 0 to 1"
            raise InputError(f"validation: {expected}, got {_shown(self.validation)}")
        if self.test_from is not None:
            parse_moment(self.test_from, "test_from")


class Published(Section):
    """A result that others report on the split of a data set."""

    method: Line
    """Name of the method."""

    recall: Share | None = None
    """Recall@20."""

    ndcg: Share | None = None
    """NDCG@20."""

    bytes_per_item: Count
    """Bytes that are stored for an item, floats included."""

    epoch_chosen_on: Literal["validation", "test", "unknown"]
    """The part of the data that the reported epoch was chosen on."""

    source: Line
    """Where it is reported."""


def _shown(value: Any) -> str:
    shown = list(value) if isinstance(value, tuple) else value
    return f"{shown!r}{remedy(value, (float,))}"


class DataSet(Section):
    """A data set: its files or generator, reader, filters and split."""

    name: Line
    """Name in figures and tables."""

    citation: Line | None = None
    """Reference for citation."""

    in_paper: bool = False
    """Whether the paper has results on it, or on the data that it stands in for. Tables 2 and 3
    then show the rank of each method in the paper."""

    stands_in_for: Line | None = None
    """Name of unavailable data that it replaces; figures and tables state this beside its name."""

    files: Annotated[dict[FileName, File], Field(min_length=1)] | None = None
    """Files by name, read in this order."""

    reader: Literal["table", "adjacency", "synthetic"]
    """`table`: CSV, TSV or Parquet, plain, compressed (gz, bz2, xz, zst) or in a zip archive,
    recognized by content or name. `adjacency`: one line per user, the user and then its items.
    `synthetic`: generated data."""

    format: Format | None = None
    """Layout of the files."""

    columns: Columns | None = None
    """Columns of a table."""

    features: Features | None = None
    """Tables of features of users and items."""

    filter: Filter | None = None
    """Which interactions are kept; by default all."""

    generator: Generator | None = None
    """Size and distributions of generated data."""

    split: Split = Split()
    """Test and validation parts."""

    training: dict[str, Any] = Field(default_factory=dict)
    """Hyper-parameters of `training` that differ for this data set."""

    negative_rounds: Count | None = None
    """Independent draws of negatives, if not `triplets.rounds`: a training of few epochs needs no
    more than it has epochs."""

    published: tuple[Published, ...] = ()
    """What others report on this split, for the table `published` and figure 10."""

    def check(self) -> None:
        """Raise ``InputError`` for keys that need files or columns that the data set lacks."""
        mistakes = [*self._source(), *self._filtered(), *self._split()]
        if mistakes:
            raise InputError("\n".join(mistakes))

    def _source(self) -> Iterator[str]:
        needed = "generator" if self.reader == "synthetic" else "files"
        if getattr(self, needed) is None:
            yield f"{needed}: missing; the reader {self.reader} needs the key {needed}"
        if self.reader == "table" and self.columns is None:
            yield "columns: missing; the reader table needs the key columns"
        members, files = self._members(), len(self.files or ())
        described = {table.file for table in self.features.tables()} if self.features else set()
        if repeated := described & set(self.files or ()):
            yield f"features: {min(repeated)!r} is a file of interactions; name its copy otherwise"
        if members and files != 1:
            yield f"format.members: expected one archive in files, found {files}"
        if self.columns and self.columns.behavior and any(m.behavior for m in members):
            yield "format.members: behaviors stand in columns.behavior, too; set one of them"

    def _filtered(self) -> Iterator[str]:
        looked_at = {"rating_at_least": "rating", "behaviors": "behavior"}
        keep = self.filter or Filter()
        for key in ("rating_at_least", "behaviors", "time_from", "time_before"):
            column = looked_at.get(key, "time")
            if getattr(keep, key) is not None and column not in self._known_of_rows():
                yield f"filter.{key}: {self._lacks(column)}"
        kinds = {
            "generator.behaviors": (self.generator and self.generator.behaviors) or {},
            "format.members": {member.behavior for member in self._members()} - {None},
        }
        for key, known in kinds.items():
            for behavior in (keep.behaviors or ()) if known else ():
                if str(behavior) not in known:
                    yield f"filter.behaviors: {behavior} is not among {key}"

    def _split(self) -> Iterator[str]:
        if self.split.by == "time" and "time" not in self._known_of_rows():
            yield f"split.by: {self._lacks('time')}"
        if self.split.by == "file":
            yield from self._named_files()

    def _named_files(self) -> Iterator[str]:
        files = [member.name for member in self._members()] or list(self.files or ())
        chosen: set[str] = set()
        for key in ("test", "validation"):
            value = getattr(self.split, key)
            names = (value,) if isinstance(value, str) else value
            for name in names if isinstance(names, tuple) else ():
                known = f"expected some of the files {', '.join(files)}"
                if name not in files or name in chosen:
                    yield f"split.{key}: {name!r}: {'is tested, too' if name in chosen else known}"
                chosen.add(name)
        if set(files) <= chosen:
            yield "split: no file is left for training: test and validation name all of them"

    def _members(self) -> tuple[Member, ...]:
        return (self.format and self.format.members) or ()

    def _known_of_rows(self) -> set[str]:
        """What the data tell of each interaction besides user and item."""
        members = self._members()
        of_members = {"behavior"} if members and all(m.behavior for m in members) else set()
        if self.reader == "table" and self.columns:
            return of_members | set(self.columns.model_dump(exclude_none=True))
        if self.reader == "synthetic" and self.generator and self.generator.behaviors:
            return {"behavior", "time"}
        return set()

    def _lacks(self, column: str) -> str:
        makes_none = "the reader synthetic makes none"
        generated = "set generator.behaviors, which brings behaviors and times"
        remedy = {
            "table": f"set columns.{column}",
            "synthetic": makes_none if column == "rating" else generated,
            "adjacency": "the reader adjacency reads none",
        }[self.reader]
        return f"the data have no {column}: {remedy}"
