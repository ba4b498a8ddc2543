package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.Comparator;

/**
 * A slice of a member's vector. Sorted, all members of a slice come together, in their order.
 *
 * @param slice its number in the layout
 * @param member the shard, or the group of shards, whose it is
 */
public record SliceKey(int slice, int member) implements Comparable<SliceKey>, Serializable {
    private static final Comparator<SliceKey> ORDER =
            Comparator.comparingInt(SliceKey::slice).thenComparingInt(SliceKey::member);

    @Override
    public int compareTo(SliceKey other) {
        return ORDER.compare(this, other);
    }
}
