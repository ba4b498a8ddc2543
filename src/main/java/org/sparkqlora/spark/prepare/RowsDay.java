package org.sparkqlora.spark.prepare;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.Sha256;

/**
 * The day and the time zone of the driver when a preparation began, as far as its rows depend on them. They are told behind the
 * hash of its fingerprint, so that what goes on with the preparation, or with a run on its rows, on another day or in another
 * zone finds them there.
 *
 * @param date that templates are told; null where none asks for it
 * @param zone in which times of the data are written
 */
public record RowsDay(@Nullable LocalDate date, ZoneId zone) {
    private static final Pattern FORM =
            Pattern.compile("[^ ]*(?: on (?<date>\\d{4}-\\d\\d-\\d\\d))?(?: in (?<zone>\\S+))?");

    /** That of this driver. */
    static RowsDay now(SparkSession session, boolean timed, @Nullable LocalDate date) {
        String zone = session.conf().get("spark.sql.session.timeZone");
        return new RowsDay(date, timed ? ZoneId.of(zone, ZoneId.SHORT_IDS) : ZoneOffset.UTC);
    }

    /** The day and zone in {@code fingerprint}; that of an earlier version holds neither. */
    public static RowsDay of(String fingerprint) {
        Matcher parts = FORM.matcher(fingerprint);
        String date = parts.matches() ? parts.group("date") : null;
        String zone = parts.matches() ? parts.group("zone") : null;
        return new RowsDay(
                date == null ? null : LocalDate.parse(date), zone == null ? ZoneOffset.UTC : ZoneId.of(zone));
    }

    /** The fingerprint of rows that would have {@code hash} on any day: the same where they depend on none. */
    String fingerprint(String hash) {
        return words().isEmpty() ? hash : Sha256.hex((hash + words()).getBytes(StandardCharsets.UTF_8)) + words();
    }

    /** The date, for people. */
    public Optional<LocalDate> told() {
        return Optional.ofNullable(date);
    }

    private String words() {
        String dated = date == null ? "" : " on " + date;
        return zone.normalized().equals(ZoneOffset.UTC) ? dated : dated + " in " + zone;
    }
}
