package org.sparkqlora.ml;

import org.jspecify.annotations.Nullable;

/**
 * The uid of a stage of which a class of MLlib above makes params, which record it, before the stage's own constructor runs: that class
 * asks for it while the stage's field is not set.
 */
record EarlyUid(String uid) {
    private static final ThreadLocal<EarlyUid> COMING = new ThreadLocal<>();

    /** To be called as an argument of the stage's constructor, before anything else of it. */
    static EarlyUid of(String uid) {
        EarlyUid coming = new EarlyUid(uid);
        COMING.set(coming);
        return coming;
    }

    /** The uid of the stage whose constructor runs; {@code own} once it has one. */
    static String of(@Nullable EarlyUid own) {
        return (own == null ? COMING.get() : own).uid();
    }
}
