package org.sparkqlora.spark.prepare;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function2;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.spark.cluster.ProcessSerializer;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.source.CountedSource;
import org.sparkqlora.spark.source.NumberedRecords;
import org.sparkqlora.spark.source.Share;
import scala.Tuple2;

/** Encodes and packs the records of counted sources, in groups whose number and place depend on the records alone. Driver only. */
final class EncodingJob {
    /** At least, so that unequal ones even out. */
    private static final int PIECES_A_SLOT = 2;

    private final JavaSparkContext context;
    private final PackingTask task;
    private final long size; // records a group
    private final List<LineGroup> lineGroups = new ArrayList<>();
    private final List<TablePart> tables = new ArrayList<>();
    private final List<Integer> firstGroups = new ArrayList<>(); // of each source
    private int groups;

    EncodingJob(JavaSparkContext context, PackingTask task, List<CountedSource> sources, HeldOutSplit part) {
        this.context = context;
        this.task = task;
        this.size = LineGroup.sizeFor(
                sources.stream().mapToLong(CountedSource::records).sum());
        List<Share> shares = CountedSource.shares(sources, part);
        for (int i = 0; i < sources.size(); i++) {
            firstGroups.add(groups);
            add(sources.get(i), shares.get(i));
        }
    }

    /** A table of a source. */
    private record TablePart(NumberedRecords records, TablePacking packing) {
        private int groups() {
            return packing.groups().count();
        }
    }

    private void add(CountedSource source, Share share) {
        List<LineGroup> lines = LineGroup.cut(source.splits(), source.lines(), size, groups, share);
        lineGroups.addAll(lines);
        groups += lines.size();
        long before = source.lineRecords();
        for (NumberedRecords table : source.tables()) {
            TablePacking.Groups ofTable = new TablePacking.Groups(groups, size, table.count());
            tables.add(new TablePart(table, new TablePacking(task, ofTable, before, share, where(table))));
            groups += ofTable.count();
            before += table.count();
        }
    }

    /** By who reads them, unless a task would then pack much longer than others. */
    private TablePacking.Where where(NumberedRecords table) {
        long pieces = (long) PIECES_A_SLOT * TaskSlots.available(context);
        return table.longestPiece() <= table.count() / pieces
                ? TablePacking.Where.WHERE_READ
                : TablePacking.Where.APART;
    }

    List<GroupResult> run() {
        context.setJobDescription(String.format(Locale.ROOT, "prepare: encode and pack %d groups of records", groups));
        List<GroupResult> results = new ArrayList<>();
        if (!lineGroups.isEmpty()) {
            results.addAll(
                    context.parallelize(lineGroups, lineGroups.size()).map(task).collect());
        }

        for (TablePart table : tables) {
            results.addAll(encode(table));
        }

        return results.stream().map(this::ofSource).toList();
    }

    /** With the number of the source that the group is of. */
    private GroupResult ofSource(GroupResult result) {
        int source = 0;
        while (source + 1 < firstGroups.size() && firstGroups.get(source + 1) <= result.group()) {
            source++;
        }

        return result.ofSource(source);
    }

    private List<GroupResult> encode(TablePart table) {
        if (table.groups() == 0) {
            return List.of();
        }

        return table.records().read(() -> collect(table)).stream()
                .map(result -> result.placed(table.records()))
                .toList();
    }

    private List<GroupResult> collect(TablePart table) {
        JavaPairRDD<Long, GroupPart> parts = table.records().numbered().mapPartitionsToPair(table.packing());
        return ProcessSerializer.of(
                        parts.repartitionAndSortWithinPartitions(new GroupPartitioner(size, table.groups())))
                .mapPartitionsWithIndex(new TableGroup(table.packing()), false)
                .collect();
    }

    /** Packs one group of a table from its parts. Runs in a task. */
    private record TableGroup(TablePacking packing)
            implements Function2<Integer, Iterator<Tuple2<Long, GroupPart>>, Iterator<GroupResult>> {
        @Override
        public Iterator<GroupResult> call(Integer group, Iterator<Tuple2<Long, GroupPart>> parts) {
            return List.of(packing.pack(group, parts)).iterator();
        }
    }

    /** Puts records of consecutive places together. */
    private static final class GroupPartitioner extends Partitioner {
        private static final long serialVersionUID = 1L;

        private final long size;
        private final int groups;

        GroupPartitioner(long size, int groups) {
            this.size = size;
            this.groups = groups;
        }

        @Override
        public int numPartitions() {
            return groups;
        }

        @Override
        public int getPartition(Object place) {
            return Math.toIntExact((Long) place / size);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof GroupPartitioner that && that.size == size && that.groups == groups;
        }

        @Override
        public int hashCode() {
            return 31 * Long.hashCode(size) + groups;
        }
    }
}
