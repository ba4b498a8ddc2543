(function () {
  'use strict';
  var root = document.getElementById('qlora');
  if (!root) { return; }

  function nearest(svg, event) {
    var box = svg.getBoundingClientRect();
    var x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    var points = svg.dataset.chart.split(';').map(function (point) { return point.split('|'); });
    return points.reduce(function (best, point) {
      return Math.abs(point[1] - x) < Math.abs(best[1] - x) ? point : best;
    });
  }

  function readOut(svg, point) {
    var end = point[1] > 210;
    var group = svg.querySelector('.readout');
    group.innerHTML = '<line y1="12" y2="204"></line><text y="22"></text>';
    group.firstChild.setAttribute('x1', point[1]);
    group.firstChild.setAttribute('x2', point[1]);
    group.lastChild.setAttribute('x', Number(point[1]) + (end ? -6 : 6));
    group.lastChild.setAttribute('text-anchor', end ? 'end' : 'start');
    group.lastChild.textContent = 'step ' + point[0] + ': ' + point[2];
  }

  root.addEventListener('pointermove', function (event) {
    var svg = event.target.closest('svg[data-chart]');
    if (svg) { readOut(svg, nearest(svg, event)); }
  });
  root.addEventListener('pointerout', function (event) {
    var svg = event.target.closest('svg[data-chart]');
    if (svg && !svg.contains(event.relatedTarget)) { svg.querySelector('.readout').innerHTML = ''; }
  });

  function open() {
    return Array.prototype.map.call(root.querySelectorAll('details[open]'), function (each) { return each.dataset.key; });
  }

  function show(fresh) {
    var kept = open();
    root.innerHTML = fresh.innerHTML;
    kept.forEach(function (key) {
      var each = root.querySelector('details[data-key="' + key + '"]');
      if (each) { each.open = true; }
    });
    if (!fresh.dataset.live) { delete root.dataset.live; }
  }

  function refresh() {
    if (!root.dataset.live) { return; }
    var again = function () { setTimeout(refresh, Number(root.dataset.live) || 2000); };
    if (document.hidden || root.querySelector('svg:hover')) { again(); return; }
    fetch(window.location.href, { credentials: 'same-origin' })
      .then(function (answer) { return answer.text(); })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('qlora');
        if (fresh) { show(fresh); }
        again();
      })
      .catch(function () { root.dataset.stale = 'true'; setTimeout(refresh, 10000); });
  }

  if (root.dataset.live) { setTimeout(refresh, Number(root.dataset.live)); }
})();
