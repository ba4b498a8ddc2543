package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;

/** Reads the field {@code label} or {@code labels} of a record, as {@link Labels#values} has it. */
record LabeledJson(Labels labels) {
    private static final String LABEL = "label";
    private static final String LABELS = "labels";

    double[] read(JsonNode record) {
        return switch (labels.problem()) {
            case SINGLE_LABEL_CLASSIFICATION -> new double[] {index(LABEL, RecordJson.field(record, LABEL))};
            case MULTI_LABEL_CLASSIFICATION -> applying(RecordJson.field(record, LABELS));
            case REGRESSION -> numbers(record);
        };
    }

    private double[] applying(JsonNode given) {
        requireList(given);
        double[] values = new double[labels.outputs()];
        given.forEach(each -> values[index(LABELS, each)] = 1);
        return values;
    }

    private double[] numbers(JsonNode record) {
        if (labels.outputs() == 1) {
            return new double[] {number(LABEL, RecordJson.field(record, LABEL))};
        }

        JsonNode given = RecordJson.field(record, LABELS);
        requireList(given);
        if (given.size() != labels.outputs()) {
            throw new BadRecordException("Cannot read field labels: expected %d numbers, found %d"
                    .formatted(labels.outputs(), given.size()));
        }

        double[] values = new double[labels.outputs()];
        for (int i = 0; i < values.length; i++) {
            values[i] = number(LABELS, given.get(i));
        }

        return values;
    }

    private static void requireList(JsonNode given) {
        if (!given.isArray()) {
            throw new BadRecordException(
                    "Cannot read field labels: expected a list, found " + RecordJson.describe(given));
        }
    }

    private static double number(String field, JsonNode given) {
        if (!given.isNumber() || !Double.isFinite(given.doubleValue())) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a number, found %s".formatted(field, RecordJson.describe(given)));
        }

        return given.doubleValue();
    }

    /** A label by its name; a number by its index, where none is a name. */
    private int index(String field, JsonNode given) {
        int named = given.isContainerNode() ? -1 : labels.names().indexOf(given.asText());
        if (named >= 0) {
            return named;
        }

        boolean isIndex = labels.takeIndices() && (given.isIntegralNumber() || given.isBoolean());
        long index = given.isBoolean() && given.booleanValue() ? 1 : given.asLong();
        if (isIndex && index >= 0 && index < labels.outputs()) {
            return (int) index;
        }

        throw new BadRecordException("Cannot read field %s: expected one of the labels %s, found %s"
                .formatted(field, labels.names(), RecordJson.describe(given)));
    }
}
