package org.sparkqlora.checkpoint;

import java.io.IOException;
import org.apache.hadoop.fs.Path;

/** A writer's hold on a checkpoint folder: the claim that it made, if it made one, until another writer makes the next. */
final class Ownership {
    private static final long UNCLAIMED = 0;

    private final Claims claims;
    private final Path folder;
    private final String run;
    private long attempt = UNCLAIMED;

    Ownership(Claims claims, Path folder, String run) {
        this.claims = claims;
        this.folder = folder;
        this.run = run;
    }

    void claim() throws IOException {
        attempt = claims.claim(run);
    }

    boolean isClaimed() {
        return attempt != UNCLAIMED;
    }

    /** The number of the claim. */
    long attempt() {
        return attempt;
    }

    /** The object that is the claim. */
    Path object() {
        return claims.path(attempt);
    }

    /** Throws a {@link TakenOverException} when another writer has claimed the folder since. */
    void require(String action) throws IOException {
        long highest = claims.highest();
        if (highest > attempt) {
            throw takenOver(action, "attempt " + highest);
        }

        if (highest < attempt) {
            throw new IOException("Cannot trust the listing of %s: expected attempt-%d in it, found attempt-%d at most"
                    .formatted(folder, attempt, highest));
        }

        String holder = claims.holder(attempt);
        if (!holder.equals(run)) {
            throw takenOver(action, "run %s under this number".formatted(holder));
        }
    }

    private TakenOverException takenOver(String action, String owner) {
        return new TakenOverException(
                "Cannot %s to %s: expected attempt %d to own it, found %s. Another driver runs this training."
                        .formatted(action, folder, attempt, owner));
    }
}
