package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.sparkqlora.spark.source.Share;
import scala.Tuple2;

/**
 * Parts of the groups that a task reads of a table: groups whose records it reads without a gap are packed at once, and the records of
 * others go to the tasks that pack these. Runs in a task.
 *
 * @param task packs
 * @param groups of the table
 * @param before records of the source before the table
 * @param share which of the records of the source are used
 * @param where groups are packed
 */
record TablePacking(PackingTask task, Groups groups, long before, Share share, Where where)
        implements PairFlatMapFunction<Iterator<Tuple2<Long, String>>, Long, GroupPart> {
    /** Compressed records of a group that a task holds until it knows whether it reads all of them. */
    private static final long MOST_HELD = 1 << 26;

    /** The task that packs a group. */
    enum Where {
        /** By the task that reads all of it, if one does. */
        WHERE_READ,
        /** By a task of its own. */
        APART
    }

    /**
     * The groups of a table.
     *
     * @param first number of the first of them
     * @param size records of each but the last
     * @param records of the table
     */
    record Groups(int first, long size, long records) implements Serializable {
        int count() {
            return Math.toIntExact((records + size - 1) / size);
        }

        private boolean isWhole(GroupRuns.Run run) {
            long end = Math.min(records, (run.group() + 1) * size);
            return beginsGroup(run) && run.end() == end;
        }

        private boolean beginsGroup(GroupRuns.Run run) {
            return run.first() == run.group() * size;
        }
    }

    @Override
    public Iterator<Tuple2<Long, GroupPart>> call(Iterator<Tuple2<Long, String>> records) {
        return new Parts(new GroupRuns(records, groups.size()));
    }

    /** The result of a group, from its parts in the order of their places. */
    GroupResult pack(int group, Iterator<Tuple2<Long, GroupPart>> parts) {
        if (!parts.hasNext()) {
            return encode(group, Stream.empty());
        }

        Tuple2<Long, GroupPart> first = parts.next();
        return first._2() instanceof GroupPart.Packed packed
                ? packed.result()
                : encode(group, Stream.concat(Stream.of(first), stream(parts)));
    }

    private GroupResult encode(int group, Stream<Tuple2<Long, GroupPart>> batches) {
        Iterator<byte[]> bytes =
                batches.map(part -> ((GroupPart.Batch) part._2()).bytes()).iterator();
        return task.encode(groups.first() + group, RecordBatches.unpack(bytes));
    }

    private static <T> Stream<T> stream(Iterator<T> values) {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(values, Spliterator.ORDERED), false);
    }

    private Iterator<Tuple2<Long, GroupPart>> parts(GroupRuns.Run run) {
        Iterator<Tuple2<Long, GroupPart>> batches = batches(run);
        if (where == Where.APART || !groups.beginsGroup(run)) {
            return batches;
        }

        List<Tuple2<Long, GroupPart>> held = new ArrayList<>();
        long bytes = 0;
        while (batches.hasNext() && bytes < MOST_HELD) {
            held.add(batches.next());
            bytes += ((GroupPart.Batch) held.get(held.size() - 1)._2()).bytes().length;
        }

        if (batches.hasNext() || !groups.isWhole(run)) {
            return Stream.concat(held.stream(), stream(batches)).iterator();
        }

        GroupResult result = encode(run.group(), held.stream());
        return List.of(new Tuple2<Long, GroupPart>(run.first(), new GroupPart.Packed(result)))
                .iterator();
    }

    private Iterator<Tuple2<Long, GroupPart>> batches(GroupRuns.Run run) {
        return stream(RecordBatches.pack(run, place -> share.takes(before + place)))
                .map(batch -> new Tuple2<Long, GroupPart>(batch._1(), new GroupPart.Batch(batch._2())))
                .iterator();
    }

    /** The parts of one run after the other. */
    private final class Parts implements Iterator<Tuple2<Long, GroupPart>> {
        private final GroupRuns runs;
        private Iterator<Tuple2<Long, GroupPart>> ofRun = Collections.emptyIterator();

        private Parts(GroupRuns runs) {
            this.runs = runs;
        }

        @Override
        public boolean hasNext() {
            while (!ofRun.hasNext() && runs.hasNext()) {
                ofRun = parts(runs.next());
            }

            return ofRun.hasNext();
        }

        @Override
        public Tuple2<Long, GroupPart> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }

            return ofRun.next();
        }
    }
}
