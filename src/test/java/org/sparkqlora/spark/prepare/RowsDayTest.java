package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class RowsDayTest {
    private static final String HASH = "ab".repeat(32);

    @Test
    void aFingerprintTellsTheDayAndTheZone() {
        RowsDay day = new RowsDay(LocalDate.of(2026, 2, 28), ZoneId.of("Europe/Berlin"));

        assertThat(day.fingerprint(HASH)).matches("[0-9a-f]{64} on 2026-02-28 in Europe/Berlin");
        assertThat(RowsDay.of(day.fingerprint(HASH))).isEqualTo(day);
        RowsDay next = new RowsDay(LocalDate.of(2026, 3, 1), ZoneId.of("Europe/Berlin"));
        assertThat(next.fingerprint(HASH).substring(0, 12))
                .isNotEqualTo(day.fingerprint(HASH).substring(0, 12));
    }

    @Test
    void rowsThatDependOnNoneAreKnownByTheirHash() {
        RowsDay none = new RowsDay(null, ZoneOffset.UTC);

        assertThat(none.fingerprint(HASH)).isEqualTo(HASH);
        assertThat(new RowsDay(null, ZoneId.of("Etc/UTC")).fingerprint(HASH)).isEqualTo(HASH);
        assertThat(RowsDay.of(HASH)).isEqualTo(none);
        assertThat(RowsDay.of("rows of another program")).isEqualTo(none);
    }
}
