//! Indexing and fields.

use super::super::quick;
use super::{At, Next, aside};

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

#[inline(always)]
pub(super) fn index<const C: bool>(m: M<'_, '_, C>) -> Next {
    if let (Some(list), Some(place)) = (m.b().as_list(), quick::place(m.c()))
        && let Some(&item) = m.s.heap.list_near(list).get(place)
    {
        return m.set(item);
    }
    aside!(m, C, |m| match quick::index(m.s.heap, m.b(), m.c()) {
        Some(value) => m.set(value),
        None => m.slow(),
    })
}
#[inline(always)]
pub(super) fn index_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.b().as_list().and_then(|list| m.s.heap.list_near(list).get(m.k())) {
        Some(&item) => m.set(item),
        None => aside!(m, C, |m| match m.b().as_list().and_then(|list| m.s.heap.list(list).get(m.k())) {
            Some(&item) => m.set(item),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn set_index<const C: bool>(m: M<'_, '_, C>) -> Next {
    let value = m.c();
    if let (Some(list), Some(place)) = (m.a().as_list(), quick::place(m.b()))
        && m.s.heap.list_store(list, place, value)
    {
        return m.next();
    }
    aside!(m, C, |m| {
        let (target, index, value) = (m.a(), m.b(), m.c());
        if quick::set_index(m.s.heap, target, index, value) { m.next() } else { m.slow() }
    })
}
#[inline(always)]
pub(super) fn field<const C: bool>(m: M<'_, '_, C>) -> Next {
    if let (Some(object), Some(site)) = (m.b().as_object(), m.s.unit.sites.get(m.k()))
        && let Some(&(key, value)) = m.s.heap.flat(object).and_then(|pairs| pairs.get(site.position.get() as usize))
        && key == site.key
    {
        return m.set(value);
    }
    aside!(m, C, |m| {
        // A larger object, as modules are.
        if let (Some(object), Some(site)) = (m.b().as_object(), m.s.unit.sites.get(m.k()))
            && let Some((key, value)) = m.s.heap.entry(object, site.position.get() as usize)
            && key == site.key
        {
            return m.set(value);
        }
        aside!(m, C, |m| {
            let (Some(object), Some(site)) = (m.b().as_object(), m.s.unit.sites.get(m.k())) else { return m.slow() };
            let value = quick::field(m.s.heap, object, site);
            m.set(value)
        })
    })
}
#[inline(always)]
pub(super) fn set_field<const C: bool>(m: M<'_, '_, C>) -> Next {
    let (value, k) = (m.b(), m.k());
    if let (Some(object), Some(site)) = (m.a().as_object(), m.s.unit.sites.get(k))
        && let Some(pair) = m.s.heap.flat_mut(object).and_then(|pairs| pairs.get_mut(site.position.get() as usize))
        && pair.0 == site.key
    {
        pair.1 = value;
        return m.next();
    }
    aside!(m, C, |m| {
        let (target, value, k) = (m.a(), m.b(), m.k());
        let (Some(object), Some(site)) = (target.as_object(), m.s.unit.sites.get(k)) else { return m.slow() };
        let place = site.position.get() as usize;
        if m.s.heap.store_at(object, place, site.key, value) || quick::set_field(m.s.heap, target, object, site, value) {
            m.next()
        } else {
            m.slow()
        }
    })
}
