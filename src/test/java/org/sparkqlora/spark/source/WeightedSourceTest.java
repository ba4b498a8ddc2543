package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.input.BadInputException;

class WeightedSourceTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "lake.chats; lake.chats;;;",
                "/data/my chats.jsonl; /data/my chats.jsonl;;;",
                "lake.chats VERSION AS OF 3; lake.chats; VERSION AS OF 3;;",
                "lake.chats timestamp as of '2026-11-01 08:00:00'; lake.chats; TIMESTAMP AS OF 2026-11-01 08:00:00;;",
                "lake.chats WHERE lang = 'en'; lake.chats;; lang = 'en';",
                "lake.chats VERSION AS OF 3 where x = 'VERSION AS OF 4'; lake.chats; VERSION AS OF 3; x = 'VERSION AS OF 4';",
                "SELECT messages, concat(a, ' FROM ') AS b FROM lake.chats VERSION AS OF 3; lake.chats; VERSION AS OF 3;; messages, concat(a, ' FROM ') AS b",
                "select text from /lake/chats WHERE a > 1; /lake/chats;; a > 1; text",
                "delta.`s3a://lake/my chats` VERSION AS OF 3 WHERE a > 1; s3a://lake/my chats; VERSION AS OF 3; a > 1;",
                "Iceberg.`/lake/chats`; /lake/chats;;;",
                "lake.`chats`; lake.`chats`;;;"
            })
    void readsWhatSqlSays(String text, String name, String version, String filter, String columns) {
        TableQuery query = new WeightedSource(text, 0).query();

        assertThat(query.name()).isEqualTo(name);
        assertThat(query.version().map(TableVersion::toString).orElse(null)).isEqualTo(version);
        assertThat(query.selection().filter()).isEqualTo(filter);
        assertThat(query.selection().columns()).isEqualTo(columns);
        assertThat(TableQuery.parse(query.toString())).isEqualTo(query);
    }

    @Test
    void commasInAConditionDoNotPart() {
        List<String> cut =
                List.of("a.jsonl", "SELECT x", " y FROM t WHERE x IN (1", "2) AND y = '", "'", "it's.jsonl", "b");

        assertThat(WeightedSource.parse(cut))
                .extracting(WeightedSource::path)
                .containsExactly("a.jsonl", "SELECT x, y FROM t WHERE x IN (1,2) AND y = ','", "it's.jsonl", "b");
    }

    @Test
    void aNumberInAConditionIsNoWeight() {
        assertThat(WeightedSource.parse(List.of("t WHERE score=0.5")))
                .containsExactly(new WeightedSource("t WHERE score=0.5", 0));
        assertThat(WeightedSource.parse(List.of("t WHERE (a = ')') OR (b)=0.5")))
                .containsExactly(new WeightedSource("t WHERE (a = ')') OR (b)=0.5", 0));
        assertThat(WeightedSource.parse(List.of("t WHERE (score=0.5)=0.3", "u VERSION AS OF 3=0.7")))
                .containsExactly(
                        new WeightedSource("t WHERE (score=0.5)", 0.3), new WeightedSource("u VERSION AS OF 3", 0.7));
    }

    @Test
    void anotherStateIsPutBeforeTheCondition() {
        WeightedSource asked = new WeightedSource("SELECT a FROM t WHERE b", 0);

        assertThat(asked.orAsOf(3).path()).isEqualTo("SELECT a FROM t VERSION AS OF 3 WHERE b");
        assertThat(asked.orAsOf(3).orAsOf(4)).isEqualTo(asked.orAsOf(3));
        assertThat(asked.orAsOf(3).unversioned()).isEqualTo(asked.path());
    }

    @Test
    void aVersionIsANumber() {
        assertThatThrownBy(() -> WeightedSource.parse(List.of("t VERSION AS OF three")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("Cannot read a table VERSION AS OF three: expected the number of");
    }
}
