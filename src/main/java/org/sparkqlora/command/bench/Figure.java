package org.sparkqlora.command.bench;

/**
 * Something that was measured.
 *
 * @param group what it belongs to
 * @param name what it is, its unit included: a key of JSON
 * @param value in that unit
 */
record Figure(String group, String name, double value) {}
