package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.Comparator;

/**
 * A part of a member's vector. Sorted, all members of a part come together, in their order.
 *
 * @param part its number in the layout
 * @param member the shard, or the group of shards, whose it is
 */
public record PartKey(int part, int member) implements Comparable<PartKey>, Serializable {
    private static final Comparator<PartKey> ORDER =
            Comparator.comparingInt(PartKey::part).thenComparingInt(PartKey::member);

    @Override
    public int compareTo(PartKey other) {
        return ORDER.compare(this, other);
    }
}
