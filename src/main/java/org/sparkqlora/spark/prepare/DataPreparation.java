package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.source.BadLine;
import org.sparkqlora.spark.source.CountedSource;
import org.sparkqlora.spark.source.FirstRecord;
import org.sparkqlora.spark.source.ListedSource;
import org.sparkqlora.spark.source.NumberedRecords;
import org.sparkqlora.spark.source.RecordLines;
import org.sparkqlora.spark.source.SourceFile;
import org.sparkqlora.spark.source.SourceListing;
import org.sparkqlora.spark.source.SourceSplit;
import org.sparkqlora.spark.source.SourceTable;
import org.sparkqlora.spark.source.TableRecords;
import org.sparkqlora.spark.source.UnorderedRecords;
import org.sparkqlora.spark.source.UnusableRecordException;
import org.sparkqlora.spark.source.WeightedSource;
import org.sparkqlora.storage.Sha256;

/**
 * Makes fixed-width rows of records, as Spark jobs. Driver only.
 *
 * <p>The rows do not depend on the cluster: files are sorted by path, records numbered through, and groups of a fixed number
 * of them are packed on their own, each into its own file. What was prepared before from the same sources in the same way
 * is used again, group by group if it was not finished; else new files are written beside the old ones, and the manifest, written
 * last, changes over to them.
 */
public final class DataPreparation {
    /** Part of every fingerprint: raise it when the same input gives other rows. */
    private static final String RULES = "spark-qlora rows 3";

    /** Left {@code chat_template_kwargs} out and read bytes that are no UTF-8: a run that began with such rows goes on with them. */
    private static final String EARLIER_RULES = "spark-qlora rows 2";

    /** Rows of weighted sources lie among each other. */
    private static final String SPREAD = "spread\n";

    /** Runs of one driver that share a folder of rows would write the same files at once. */
    private static final Object ONE_AT_A_TIME = new Object();

    /** Examples whose hashes the driver can hold; of more, a part is looked at for duplicates. */
    private static final long HASHED = 1 << 20;

    private final JavaSparkContext context;
    private final SparkSession session;
    private final Configuration configuration;
    private final SourceListing listing;
    private final Map<SourceTable, UnorderedRecords> tables = new HashMap<>();
    private final Map<TableFiles, List<TableRecords>> tableFiles = new HashMap<>();
    private final @Nullable String begunRows;
    private final @Nullable RowsDay begun;
    private final Supplier<LocalDate> today;

    /** @param begunRows fingerprint of the rows of a run that goes on; null for none */
    public DataPreparation(JavaSparkContext context, @Nullable String begunRows) {
        this(context, begunRows, LocalDate::now);
    }

    DataPreparation(JavaSparkContext context, @Nullable String begunRows, Supplier<LocalDate> today) {
        this.context = context;
        this.begunRows = begunRows;
        this.begun = begunRows == null ? null : RowsDay.of(begunRows);
        this.today = today;
        this.session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        this.configuration = context.hadoopConfiguration();
        this.listing = new SourceListing(session, configuration);
    }

    /**
     * Prepares {@code sources} into {@code folder}, unless that is done already.
     *
     * @param sources files, folders, globs and tables of the catalog, all or none with {@code =weight} behind it
     */
    public PreparedData prepare(
            List<String> sources, LineEncoderSource encoders, PreparationOptions options, String folder) {
        List<ListedSource> listed = list(sources);
        String hash = hashOf(listed, encoders, options);
        synchronized (ONE_AT_A_TIME) {
            Optional<PreparedData> before = PreparedData.find(folder, configuration)
                    .filter(data -> isOf(data.manifest().fingerprint(), hash))
                    .filter(this::isWhole);
            return before.orElseGet(() -> {
                requirePresentRules(hash, hashOf(RULES, listed, encoders, options), folder);
                return prepareAnew(listed, encoders, options, folder, hash);
            });
        }
    }

    /** Whether rows of {@code fingerprint} are those asked for, made on whatever day. */
    private boolean isOf(String fingerprint, String hash) {
        RowsDay day = begun == null ? RowsDay.of(fingerprint) : begun;
        return fingerprint.equals(day.fingerprint(hash));
    }

    /** Of rows that are not, the damaged files make room for new ones. */
    private boolean isWhole(PreparedData data) {
        List<String> damaged = DamagedRows.of(data, context);
        PreparedFolder.deleteDamaged(data, damaged, configuration);
        return damaged.isEmpty();
    }

    private static void requirePresentRules(String hash, String present, String folder) {
        if (!hash.equals(present)) {
            throw new BadInputException(
                    ("Cannot go on with the rows in %s: expected those that an earlier version made, found none or damaged ones,"
                                    + " and this version may make others of the same data. Restore them, or train in another --output")
                            .formatted(folder));
        }
    }

    public SparkSession session() {
        return session;
    }

    /** The files and tables of one source, in the states that {@link #prepare} reads. */
    public ListedSource listed(WeightedSource source) {
        return listing.list(List.of(source)).get(0);
    }

    /** The fingerprint that the manifest of {@code sources} will have, without making rows. */
    public String fingerprint(List<String> sources, LineEncoderSource encoders, PreparationOptions options) {
        List<ListedSource> listed = list(sources);
        return day(listed, encoders).fingerprint(hashOf(listed, encoders, options));
    }

    /** Files that Spark reads, and the zone in which it writes their times. */
    private record TableFiles(List<SourceFile> files, ZoneId zone) {}

    private RowsDay day(List<ListedSource> sources, LineEncoderSource encoders) {
        return dayTold(sources, encoders.asksForTheDay() ? today.get() : null);
    }

    private RowsDay dayTold(List<ListedSource> sources, @Nullable LocalDate told) {
        boolean timed = sources.stream().anyMatch(ListedSource::mayHoldTimes);
        return begun == null ? RowsDay.now(session, timed, told) : begun;
    }

    /** The first record of each kind of file, and of each table, of {@code sources}. */
    public List<FirstRecord> firsts(List<String> sources) {
        List<ListedSource> listed = list(sources);
        ZoneId zone = dayTold(listed, null).zone();
        return listed.stream()
                .flatMap(source -> FirstRecord.of(source, each -> count(each, zone), configuration).stream())
                .distinct()
                .toList();
    }

    /** The classes of the labelled texts in {@code sources}, whose names nobody gave. */
    public Labels labels(List<String> sources, ProblemType problem, Columns columns, int mostBytes) {
        List<ListedSource> listed = list(sources);
        ZoneId zone = dayTold(listed, null).zone();
        List<SourceSplit> splits = listed.stream()
                .flatMap(source -> source.lineFiles().stream())
                .flatMap(file -> SourceSplit.of(file).stream())
                .toList();
        List<NumberedRecords> tables =
                listed.stream().flatMap(source -> count(source, zone).stream()).toList();
        return new LabelSurvey(problem, columns, mostBytes).of(context, splits, tables);
    }

    private List<ListedSource> list(List<String> sources) {
        return listing.list(WeightedSource.parse(sources));
    }

    private PreparedData prepareAnew(
            List<ListedSource> sources,
            LineEncoderSource encoders,
            PreparationOptions options,
            String folder,
            String hash) {
        PreparedFolder target = PreparedFolder.open(folder, context);
        RowsDay day = begun == null ? target.beganOn(hash, day(sources, encoders)) : begun;
        String fingerprint = day.fingerprint(hash);
        String prefix = Manifest.rowsPrefix(fingerprint);
        LineEncoderSource dated = day.told().map(encoders::on).orElse(encoders);
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(new SerializableConfiguration(configuration));
        try {
            List<CountedSource> counted = sources.stream()
                    .map(source -> count(source, hadoop, day.zone()))
                    .toList();
            long hashedOneOf =
                    1 + counted.stream().mapToLong(CountedSource::records).sum() / HASHED;
            PackingTask.RowFiles files = new PackingTask.RowFiles(folder, prefix, target.finished(prefix), hadoop);
            PackingTask task = new PackingTask(dated, options, files, hashedOneOf);
            List<GroupResult> results = new EncodingJob(context, task, counted, options.part()).run();
            Manifest manifest = manifest(sources, results, options, fingerprint, encoders.ids());
            ExampleChecks checks =
                    ExampleChecks.sum(results.stream().map(GroupResult::checks).toList());
            return target.publish(manifest, PreparationReport.of(manifest, checks, hashedOneOf));
        } catch (BadInputException e) {
            target.discard(prefix, e);
            throw e;
        } finally {
            context.setJobDescription(null);
            Broadcasts.destroy(hadoop);
        }
    }

    private CountedSource count(ListedSource source, Broadcast<SerializableConfiguration> hadoop, ZoneId zone) {
        List<SourceSplit> splits = source.lineFiles().stream()
                .flatMap(file -> SourceSplit.of(file).stream())
                .toList();
        context.setJobDescription("prepare: count the records of " + source.name());
        List<Long> lines = splits.isEmpty()
                ? List.of()
                : parallel(splits).map(new CountLines(hadoop)).collect();
        return new CountedSource(source.weight(), splits, lines, count(source, zone));
    }

    private List<NumberedRecords> count(ListedSource source, ZoneId zone) {
        List<NumberedRecords> records = new ArrayList<>(tableFiles.computeIfAbsent(
                new TableFiles(source.files(), zone), key -> TableRecords.all(session, key.files(), key.zone())));
        source.tables().forEach(name -> records.add(table(name)));
        return records;
    }

    private UnorderedRecords table(SourceTable table) {
        return tables.computeIfAbsent(
                table,
                key -> UnorderedRecords.of(
                        session,
                        key,
                        begun == null ? RowsDay.now(session, true, null).zone() : begun.zone()));
    }

    private <T> JavaRDD<T> parallel(List<T> values) {
        return context.parallelize(values, TaskSlots.parts(context, values.size()));
    }

    private static Manifest manifest(
            List<ListedSource> sources,
            List<GroupResult> results,
            PreparationOptions options,
            String fingerprint,
            TokenIds ids) {
        results.stream()
                .flatMap(result -> result.bad().stream())
                .min(Comparator.comparing(BadLine::path).thenComparing(BadLine::line))
                .ifPresent(DataPreparation::refuse);
        PreparationCounts counts =
                results.stream().map(GroupResult::counts).reduce(PreparationCounts.NONE, PreparationCounts::plus);
        if (counts.rows() == 0) {
            if (options.part().side() == HeldOutSplit.Side.HELD_OUT) {
                throw new BadInputException(
                        "Cannot hold out %s of %s: expected an example with a trained token among those held out, found none. Raise --eval-fraction, or give --eval-data"
                                .formatted(
                                        options.part().heldOut(), sources.get(0).name()));
            }

            throw new BadInputException(
                    "Cannot train on %s: expected an example with a trained token, found none (%d examples without one, %d bad records)"
                            .formatted(sources.get(0).name(), counts.untrained(), counts.bad()));
        }

        List<PreparedFile> written = results.stream()
                .sorted(Comparator.comparing(GroupResult::group))
                .map(GroupResult::file)
                .filter(Objects::nonNull)
                .toList();
        List<String> tables = sources.stream()
                .flatMap(source -> source.tables().stream())
                .map(SourceTable::told)
                .distinct()
                .toList();
        return new Manifest(
                fingerprint, options.layout().width(), written, counts, ids, options.examples(), null, tables);
    }

    private static void refuse(BadLine bad) {
        throw new UnusableRecordException(bad);
    }

    /** That of the present rules, unless the rows to go on with are of the earlier ones. */
    private String hashOf(List<ListedSource> sources, LineEncoderSource encoders, PreparationOptions options) {
        String earlier = hashOf(EARLIER_RULES, sources, encoders, options);
        return begunRows != null && isOf(begunRows, earlier) ? earlier : hashOf(RULES, sources, encoders, options);
    }

    private String hashOf(
            String rules, List<ListedSource> sources, LineEncoderSource encoders, PreparationOptions options) {
        StringBuilder text = new StringBuilder(rules).append('\n');
        text.append(encoders.fingerprint())
                .append('\n')
                .append(options.fingerprint())
                .append('\n');
        for (ListedSource source : sources) {
            text.append(source.weight()).append('\n');
            text.append(source.weight() > 0 ? SPREAD : "");
            source.files().forEach(file -> text.append(file).append('\n'));
            source.tables()
                    .forEach(name -> text.append(table(name).fingerprint()).append('\n'));
        }

        return Sha256.hex(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Counts the records of a split. Runs in a task. */
    private record CountLines(Broadcast<SerializableConfiguration> configuration)
            implements Function<SourceSplit, Long> {
        @Override
        public Long call(SourceSplit split) throws IOException {
            long count = 0;
            try (RecordLines lines = RecordLines.open(
                    split, Integer.MAX_VALUE, configuration.value().value())) {
                while (lines.skip()) {
                    count++;
                }
            }

            return count;
        }
    }
}
