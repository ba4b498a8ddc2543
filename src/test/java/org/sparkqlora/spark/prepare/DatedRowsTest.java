package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;

/** Rows that depend on a day or a time zone. */
class DatedRowsTest {
    @TempDir
    private Path temporary;

    private PreparationRuns runs;

    @BeforeEach
    void makeFolders() throws IOException {
        runs = PreparationRuns.in(temporary);
    }

    @Test
    void aDayThatChangesChangesNoRow() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(700, 6));
        LocalDate first = LocalDate.of(2026, 2, 28);
        LocalDate next = LocalDate.of(2026, 3, 1);
        PreparedData whole = prepareDated(new Dated("numbers", first, ""), "whole", null);
        assertThat(whole.manifest().fingerprint()).endsWith(" on 2026-02-28");

        String deadly = Files.readAllLines(runs.source().resolve("a.jsonl")).get(600);
        assertThatThrownBy(() -> prepareDated(new Dated("numbers", first, deadly), "killed", null))
                .hasMessageContaining("died at " + deadly);
        PreparedData resumed = prepareDated(new Dated("numbers", next, ""), "killed", null);
        assertThat(resumed.manifest()).isEqualTo(whole.manifest());
        for (PreparedFile file : whole.manifest().files()) {
            assertThat(runs.folder().resolve("killed").resolve(file.name()))
                    .hasBinaryContent(
                            PreparationRuns.read(runs.folder().resolve("whole").resolve(file.name())));
        }

        assertThat(prepareDated(new Dated("numbers", next, ""), "whole", null).manifest())
                .isEqualTo(whole.manifest());
        PreparedData onAnotherDay = prepareDated(new Dated("numbers", next, ""), "fresh", null);
        assertThat(onAnotherDay.manifest().fingerprint()).endsWith(" on 2026-03-01");
        assertThat(onAnotherDay.manifest().files())
                .isNotEqualTo(whole.manifest().files());
        String begun = whole.manifest().fingerprint();
        assertThat(prepareDated(new Dated("numbers", next, ""), "run", begun).manifest())
                .isEqualTo(whole.manifest());
    }

    @Test
    void rowsOfATemplateWithoutADateAreKnownAsEver() throws IOException {
        runs.writeLines("a.jsonl", List.of("1 2"));

        assertThat(runs.prepare(PreparationRuns.PACKED).manifest().fingerprint())
                .matches("[0-9a-f]{64}");
    }

    @Test
    void timesAreWrittenInTheZoneOfTheBeginning() {
        List<String> zones = new ArrayList<>();
        Clusters.on(Clusters.ONE_SLOT, context -> {
            SparkSession session =
                    SparkSession.builder().sparkContext(context.sc()).getOrCreate();
            session.range(1)
                    .selectExpr("timestamp_seconds(id) as text")
                    .write()
                    .parquet(runs.source().resolve("t.parquet").toString());
            for (String zone : List.of("UTC", "Asia/Tokyo")) {
                session.conf().set("spark.sql.session.timeZone", zone);
                zones.add(prepareTimes(context, zone, null));
            }

            session.conf().set("spark.sql.session.timeZone", "UTC");
            zones.add(prepareTimes(context, "resumed", zones.get(1)));
            return null;
        });

        assertThat(zones.get(0)).matches("[0-9a-f]{64}");
        assertThat(zones.get(1)).endsWith(" in Asia/Tokyo").isEqualTo(zones.get(2));
        assertThat(rows("UTC")).isNotEqualTo(rows("Asia/Tokyo"));
        assertThat(rows("resumed")).isEqualTo(rows("Asia/Tokyo"));
    }

    private PreparedData prepareDated(Dated encoders, String name, @Nullable String begun) {
        return Clusters.on(
                Clusters.ONE_SLOT,
                context -> new DataPreparation(context, begun, encoders::day)
                        .prepare(
                                List.of(runs.source().toString()),
                                encoders,
                                PreparationRuns.PACKED,
                                runs.folder().resolve(name).toString()));
    }

    private String prepareTimes(JavaSparkContext context, String name, @Nullable String begun) {
        return new DataPreparation(context, begun)
                .prepare(
                        List.of(runs.source().toString()),
                        new CodePoints(),
                        new PreparationOptions(128, Packing.ONE_A_ROW, OnBadRecord.FAIL),
                        runs.folder().resolve(name).toString())
                .manifest()
                .fingerprint();
    }

    private List<String> rows(String name) {
        return PreparationRuns.documents(
                PreparedData.open(runs.folder().resolve(name).toString(), new Configuration()));
    }

    /** Puts the month before each line, as a template might; dies at one line, as a process might. */
    private record Dated(String fingerprint, LocalDate day, String deadly) implements LineEncoderSource {
        @Override
        public boolean asksForTheDay() {
            return true;
        }

        @Override
        public LineEncoderSource on(LocalDate other) {
            return new Dated(fingerprint, other, deadly);
        }

        @Override
        public LineEncoder open() {
            LineEncoder numbers = new DeadlyLine(fingerprint, deadly).open();
            return new LineEncoder() {
                @Override
                public EncodedDocuments documents(String line) {
                    numbers.documents(line);
                    return new NumbersEncoder(fingerprint).open().documents(day.getMonthValue() + " " + line);
                }

                @Override
                public void close() {
                    numbers.close();
                }
            };
        }
    }

    /** A token a char. */
    private record CodePoints() implements LineEncoderSource {
        @Override
        public String fingerprint() {
            return "code points";
        }

        @Override
        public LineEncoder open() {
            return new LineEncoder() {
                @Override
                public EncodedDocuments documents(String line) {
                    boolean[] trained = new boolean[line.length()];
                    Arrays.fill(trained, true);
                    return EncodedDocuments.of(new EncodedExample(line.chars().toArray(), trained));
                }

                @Override
                public void close() {}
            };
        }
    }
}
